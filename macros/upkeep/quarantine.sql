{#- A SELECT of a source's records that wait in quarantine, unchanged or without what is personal; or of those that were discarded. -#}
{%- macro quarantined_records(source, rule=none, source_file=none, is_discarded=false, is_masked=false) -%}
    {%- set quarantine = (project_tables(table='quarantine_' ~ source) if execute else []) | first -%}
    {%- if not (quarantine and load_relation(discarded_records())) -%}
        select
            0 as batch_id, '' as source_file, 0 as record_number, array('') as violated_rules, current_timestamp() as ingested_at,
            '' as record, '' as note
        where false
    {%- else -%}
        select
            waiting.batch_id, waiting.source_file, waiting.record_number, waiting.violated_rules, waiting.ingested_at,
            {{ masked_record(source) if is_masked else 'waiting.record' }} as record, discarded.note
        from (
            select batch_id, source_file, record_number, violated_rules, ingested_at, record
            from {{ quarantine.relation }}
            where
                {{ 'array_contains(violated_rules, ' ~ sql_literal(rule) ~ ')' if rule else 'true' }}
                and {{ 'source_file = ' ~ sql_literal(source_file) if source_file else 'true' }}
        ) as waiting
        left join (select * from {{ discarded_records() }} where source = '{{ source }}') as discarded
            on waiting.batch_id = discarded.batch_id
            and waiting.source_file = discarded.source_file
            and waiting.record_number = discarded.record_number
        {%- if is_masked %}
        left join {{ by_place(table_of_source('bronze', source)) }} as landed
            on waiting.batch_id = landed.batch_id
            and waiting.source_file = landed.source_file
            and waiting.record_number = landed.record_number
        {%- endif %}
        where discarded.note is {{ 'not ' if is_discarded }}null
    {%- endif -%}
{%- endmacro -%}

{#- A SELECT with one row per source and violated rule; a record that violates two rules counts for both. Discarded
    records don't count:
    dbt show --inline "{{ quarantine_summary() }}" --limit -1 -#}
{%- macro quarantine_summary(source=none) -%}
    {%- set quarantines = [] -%}
    {%- for entry in (project_tables(table=('quarantine_' ~ source) if source else none) if execute else [])
        if entry.name.startswith('quarantine_') -%}
        {%- do quarantines.append(entry) -%}
    {%- endfor -%}
    {%- for entry in quarantines %}
        select
            '{{ entry.name[11:] }}' as source,
            rule,
            count(*) as record_count,
            min(ingested_at) as oldest_ingested_at,
            max(ingested_at) as newest_ingested_at
        from ({{ quarantined_records(entry.name[11:]) }}) as waiting
        lateral view explode(violated_rules) as rule
        group by rule
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as source, '' as rule, 0 as record_count, current_timestamp() as oldest_ingested_at, current_timestamp() as newest_ingested_at
        where false
    {%- endfor %}
{%- endmacro -%}

{#- A SELECT that judges a source's records by today's rules: how many of those that broke `old_rules` break `new_rules` now; either is empty
    if they broke or break none. Records that neither broke nor break a rule are left out. -#}
{%- macro judged_again(source) -%}
    select
        array_join(waiting.violated_rules, ', ') as old_rules,
        array_join(judged.violated_rules, ', ') as new_rules,
        count(*) as record_count
    from {{ ref('judged_' ~ source) }} as judged
    left join {{ ref('quarantine_' ~ source) }} as waiting
        on judged.batch_id = waiting.batch_id
        and judged.source_file = waiting.source_file
        and judged.record_number = waiting.record_number
    where waiting.batch_id is not null or size(judged.violated_rules) > 0
    group by waiting.violated_rules, judged.violated_rules
{%- endmacro -%}

{#- Gives up records that wait in quarantine, with a note: dbt run-operation discard_records --args '{source: orders, note: ...}'.
    They stay in quarantine and in bronze. The row ledger is brought up to date with everything that was ever discarded, so a run completes
    what an earlier one, killed between the two tables, left out. A batch that the ledger doesn't have yet, because fail_above stopped it,
    is left to the build that enters it. -#}
{%- macro discard_records(source, note, rule=none, source_file=none) -%}
    {%- if not note | trim -%}
        {{- exceptions.raise_compiler_error('discard_records needs a note that says why these records of ' ~ source ~ ' are given up.') -}}
    {%- endif -%}
    {%- do open_ledgers() -%}
    {#- Sail knows the tables of a schema once they have been listed. -#}
    {%- do load_relation(table_of_source('bronze', source)) -%}
    {%- do run_query(
        'insert into ' ~ discarded_records() ~ " select '" ~ source ~ "', batch_id, source_file, record_number, " ~ sql_literal(note | trim)
        ~ ", '" ~ invocation_id ~ "', current_timestamp() from (" ~ quarantined_records(source, rule, source_file) ~ ') as waiting'
    ) -%}
    {%- set batch_ids = run_query(
        'select distinct batch_id from ' ~ discarded_records() ~ " where source = '" ~ source
        ~ "' and batch_id <= (select max(batch_id) from " ~ row_ledger() ~ " where source = '" ~ source ~ "')"
    ).columns[0].values() | map('int') | list -%}
    {%- if batch_ids -%}
        {%- set of_batches = 'batch_id between ' ~ batch_ids | min ~ ' and ' ~ batch_ids | max -%}
        {%- set counted = run_query(
            'select refused.batch_id, ' ~ refused_place() ~ ' as place, refused.reason, count(*) as record_count from ('
            ~ refused_records(source, of_batches) ~ ') as refused inner join ' ~ table_of_source('bronze', source) ~ ' as landed '
            ~ 'on refused.batch_id = landed.batch_id and refused.source_file = landed.source_file and refused.record_number = landed.record_number '
            ~ 'where landed.' ~ of_batches ~ ' group by 1, 2, 3'
        ).rows -%}
        {%- do record_places(source, rejudged_places(source, counted, batch_ids)) -%}
    {%- endif -%}
    {%- do release_lease() -%}
{%- endmacro -%}
