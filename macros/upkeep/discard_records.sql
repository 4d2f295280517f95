{#- Gives up records that wait in quarantine, with a note: dbt run-operation discard_records --args '{source: orders, note: ...}'.
    They stay in quarantine and in bronze. The row ledger is brought up to all that was ever discarded, so that the next run makes
    good what one that was killed between the two tables left out. A batch that it does not hold yet, because fail_above stopped
    it, is left to the build that enters it. -#}
{%- macro discard_records(source, note, rule=none, source_file=none) -%}
    {%- if not note | trim -%}
        {{- exceptions.raise_compiler_error('discard_records needs a note that says why these records of ' ~ source ~ ' are given up.') -}}
    {%- endif -%}
    {%- do open_ledgers() -%}
    {#- Sail knows the tables of a schema once they were listed. -#}
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
{%- endmacro -%}
