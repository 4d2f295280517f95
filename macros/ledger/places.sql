{#- Where each record of some batches is. -#}
{%- macro places_ctes(relation, source, of_batches, pruning, unplaced=none) -%}
    with {{ _found_cte(relation, source, of_batches) }},
    {{ judged_ctes(source) }},
    {{ _placed_ctes(relation, source, of_batches, pruning, unplaced or _is_unplaced()) }}
{%- endmacro -%}

{#- A CTE `judged_records`. The judged model is ephemeral: dbt passes its SQL, and that of its ephemeral parents, to the models that read it. -#}
{%- macro judged_ctes(source) -%}
    {%- for cte in model.extra_ctes %}{{ cte.sql }}, {% endfor %}
    judged_records as (select * from __dbt__cte__judged_{{ source }})
{%- endmacro -%}

{#- Counts by batch, place and reason, which add up to the records of bronze, or to more if a record is there twice. Most are found by their
    identity alone, which reads three columns; only the others are judged once more, and counted once each. They are listed by name, so
    that the engine reads only these, unless there are too many. -#}
{%- macro count_places(relation, source, of_batches, pruning) -%}
    {%- set found_sql = 'with ' ~ _found_cte(relation, source, of_batches) -%}
    {%- set by_place = ' select batch_id, place, reason, count(*) as record_count from ' -%}
    {%- set counted = run_query(found_sql ~ by_place ~ 'found group by batch_id, place, reason').rows | list -%}
    {%- set unplaced = counted | rejectattr('place') | sum(attribute='record_count') -%}
    {%- if not unplaced -%}
        {{- return(counted) -}}
    {%- endif -%}
    {%- set unplaced_condition = _is_unplaced() -%}
    {%- if unplaced <= 10000 -%}
        {%- set names = run_query(found_sql ~ ' select ' ~ _identity_of('found') ~ ' as name from found where place is null').columns[0].values() -%}
        {%- set listed = [] -%}
        {%- for name in names -%}{%- do listed.append(sql_literal(name)) -%}{%- endfor -%}
        {%- set unplaced_condition = _identity_of('judged') ~ ' in (' ~ listed | join(', ') ~ ')' -%}
    {%- endif -%}
    {%- set judged = run_query(places_ctes(relation, source, of_batches, pruning, unplaced_condition) ~ by_place ~ 'placed group by batch_id, place, reason').rows | list -%}
    {%- set placed = {} -%}
    {%- for batch_id, rows in judged | selectattr('place') | groupby('batch_id') -%}
        {%- do placed.update({batch_id: rows | sum(attribute='record_count')}) -%}
    {%- endfor -%}
    {%- set lost = [] -%}
    {%- for row in counted if not row['place'] and row['record_count'] > placed.get(row['batch_id'], 0) -%}
        {%- do lost.append({
            'batch_id': row['batch_id'], 'place': none, 'reason': none,
            'record_count': row['record_count'] - placed.get(row['batch_id'], 0),
        }) -%}
    {%- endfor -%}
    {{- return(counted | selectattr('place') | list + judged | selectattr('place') | list + lost) -}}
{%- endmacro -%}

{#- A CTE `found`: one row per record of bronze, `place` NULL if it is neither in silver nor in quarantine. -#}
{%- macro _found_cte(relation, source, of_batches) -%}
    {%- set settings = node_of(relation).config -%}
    found as (
        select
            landed.batch_id,
            landed.source_file,
            landed.record_number,
            case
                when kept.batch_id is not null and refused.batch_id is not null then 'twice'
                when refused.batch_id is not null then {{ refused_place() }}
                else kept.place
            end as place,
            coalesce(refused.reason, kept.reason) as reason
        from (
            select batch_id, source_file, record_number, unreadable_reason
            from {{ table_of_source('bronze', source) }} where {{ of_batches }}
        ) as landed
        left join (
            select
                batch_id, source_file, record_number,
                case
                    {%- if settings.ledger.get('deleted') %}
                    when {{ settings.ledger.deleted }} then 'deleted'
                    {%- endif %}
                    when first_batch_id = batch_id then 'new'
                    else 'updated'
                end as place,
                case
                    {%- if settings.get('newest_by') %}
                    when {{ _first_batch_of_version(settings.newest_by) }} < batch_id then 'contradiction'
                    {%- endif %}
                    when false then ''
                end as reason
            from {{ relation }} where {{ of_batches }}
        ) as kept
            on landed.batch_id = kept.batch_id
            and landed.source_file = kept.source_file
            and landed.record_number = kept.record_number
        left join ({{ refused_records(source, of_batches) }}) as refused
            on landed.batch_id = refused.batch_id
            and landed.source_file = refused.source_file
            and landed.record_number = refused.record_number
    )
{%- endmacro -%}

{#- A SELECT of a source's records in quarantine, for the row ledger: their identity, the rules they break, and whether they were
    discarded. -#}
{%- macro refused_records(source, of_batches) -%}
    select
        waiting.batch_id,
        waiting.source_file,
        waiting.record_number,
        array_join(waiting.violated_rules, ', ') as reason,
        discarded.batch_id is not null as is_discarded
    from (select * from {{ table_of_source('quarantine', source) }} where {{ of_batches }}) as waiting
    left join (
        select distinct batch_id, source_file, record_number from {{ discarded_records() }} where source = '{{ source }}'
    ) as discarded
        on waiting.batch_id = discarded.batch_id
        and waiting.source_file = discarded.source_file
        and waiting.record_number = discarded.record_number
{%- endmacro -%}

{#- Place of a record that is in quarantine (`refused`) and in bronze (`landed`). -#}
{%- macro refused_place() -%}
case
    when refused.is_discarded then 'discarded'
    when landed.unreadable_reason is not null then 'unreadable'
    else 'quarantined'
end
{%- endmacro -%}

{#- A CTE `placed`, for the records that were not found: each compared with the row of its key, `place` NULL if it should be that row itself.
    One row per record: if silver has its key twice, or the judged model returns it twice, its place is `twice`. -#}
{%- macro _placed_ctes(relation, source, of_batches, pruning, unplaced) -%}
    {%- set settings = node_of(relation).config -%}
    {%- set newest_by = settings.get('newest_by') -%}
    {%- set same_key = [] + pruning -%}
    {%- for key in unique_key_of(relation) -%}
        {%- do same_key.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' <=> DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
    compared as (
        select
            DBT_INTERNAL_SOURCE.batch_id,
            DBT_INTERNAL_SOURCE.source_file,
            DBT_INTERNAL_SOURCE.record_number,
            case
                when DBT_INTERNAL_SOURCE.filter_reason is not null then DBT_INTERNAL_SOURCE.filter_reason
                {%- if newest_by %}
                when {{ is_same_version('DBT_INTERNAL_DEST', 'DBT_INTERNAL_SOURCE', newest_by) }} then 'contradiction'
                {%- endif %}
            end as reason,
            case
                when size(DBT_INTERNAL_SOURCE.violated_rules) > 0 then null
                when DBT_INTERNAL_SOURCE.filter_reason is not null then 'filtered'
                when DBT_INTERNAL_DEST.batch_id is null then null
                when {{ is_newer('DBT_INTERNAL_DEST', 'DBT_INTERNAL_SOURCE', newest_by) }} then 'superseded'
                {%- if newest_by %}
                when not DBT_INTERNAL_SOURCE.record_hash <=> DBT_INTERNAL_DEST.record_hash then null
                {%- endif %}
                when DBT_INTERNAL_SOURCE.batch_id = DBT_INTERNAL_DEST.batch_id then 'duplicate'
                else 'unchanged'
            end as place
        from (
            select
                judged.*,
                case
                    {%- for reason, condition in settings.ledger.get('filtered', {}).items() %}
                    when {{ condition }} then {{ sql_literal(reason) }}
                    {%- endfor %}
                    when false then ''
                end as filter_reason
            from judged_records as judged
            where judged.{{ of_batches }} and {{ unplaced }}
        ) as DBT_INTERNAL_SOURCE
        left join {{ relation }} as DBT_INTERNAL_DEST on {{ same_key | join(' and ') }}
    ),
    placed as (
        select
            batch_id,
            source_file,
            record_number,
            case when max(place) in ('filtered', 'superseded') then max(reason) end as reason,
            case when count(*) > 1 then 'twice' else max(place) end as place
        from compared
        group by batch_id, source_file, record_number
    )
{%- endmacro -%}

{%- macro _name_of(record) -%}
    {{- return("concat(" ~ record ~ ".source_file, ' record ', " ~ record ~ ".record_number)") -}}
{%- endmacro -%}

{%- macro _identity_of(record) -%}
    {{- return('concat(' ~ record ~ ".batch_id, ' ', " ~ record ~ ".source_file, ' ', " ~ record ~ '.record_number)') -}}
{%- endmacro -%}

{%- macro _is_unplaced() -%}
    {{- return(
        'exists (select 1 from found where found.place is null and found.batch_id = judged.batch_id '
        ~ 'and found.source_file = judged.source_file and found.record_number = judged.record_number)'
    ) -}}
{%- endmacro -%}

{#- Whether row `a` is a newer version than row `b` of the same key: by the columns of the config newest_by, the first that differs. -#}
{%- macro is_newer(a, b, newest_by) -%}
    {%- set cases = [] -%}
    {%- set equal = [] -%}
    {%- for column in newest_by or [] -%}
        {%- do cases.append((equal + [a ~ '.' ~ column ~ ' > ' ~ b ~ '.' ~ column]) | join(' and ')) -%}
        {%- do equal.append(a ~ '.' ~ column ~ ' = ' ~ b ~ '.' ~ column) -%}
    {%- endfor -%}
    {{- return('(' ~ (cases | join(' or ') or 'false') ~ ')') -}}
{%- endmacro -%}

{#- Whether two rows of one key claim to be the same version. The last columns of `newest_by`, flags and the record_hash, only break ties. -#}
{%- macro is_same_version(a, b, newest_by) -%}
    {%- set equal = [] -%}
    {%- for column in _version_columns(newest_by) -%}{%- do equal.append(a ~ '.' ~ column ~ ' <=> ' ~ b ~ '.' ~ column) -%}{%- endfor -%}
    {{- return(equal | join(' and ') or 'true') -}}
{%- endmacro -%}

{%- macro _version_columns(newest_by) -%}
    {%- set columns = [] -%}
    {%- for column in newest_by if column != 'record_hash' and not column.startswith('is_') -%}{%- do columns.append(column) -%}{%- endfor -%}
    {{- return(columns) -}}
{%- endmacro -%}

{#- Batch that first brought this version of a key; where the key says the version, that is the batch that first brought the key. -#}
{%- macro _first_batch_of_version(newest_by) -%}
    {{- return('version_batch_id' if _version_columns(newest_by) else 'first_batch_id') -}}
{%- endmacro -%}
