{#- A SELECT of how the fields of the newest batch of a source, or of each source, differ from those that are declared in
    models/landing.yml, and their types from those of the batch before: kind (new, missing, renamed, retyped), field, what was found, in how
    many records, and what would accept it. Read from bronze, so before anything is typed. CSV has no types. -#}
{%- macro field_drift(source=none) -%}
    {%- set drifts = [] -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'landing' and source in [none, node.name] -%}
        {%- set batch_ids = run_query(
            'select distinct batch_id from ' ~ file_ledger() ~ " where source = '" ~ node.name
            ~ "' and record_count > unreadable_count order by batch_id desc limit 2"
        ).columns[0].values() -%}
        {%- if batch_ids -%}
            {%- do drifts.append(_field_drift_sql(node, batch_ids | map('int') | list)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if drifts -%}
        select * from ({{ drifts | join(') union all select * from (') }})
    {%- else -%}
        select '' as source, 0 as batch_id, '' as kind, '' as field, '' as found, 0 as record_count, '' as to_accept where false
    {%- endif -%}
{%- endmacro -%}

{%- macro _field_drift_sql(node, batch_ids) -%}
    {%- set declared = [] -%}
    {%- for column in node.columns.values() -%}
        {%- do declared.append('(' ~ sql_literal(column.name) ~ ', ' ~ column.config.meta.get('is_optional', false) ~ ')') -%}
    {%- endfor -%}
    {%- set judged = 'models/silver/judged/judged_' ~ node.name ~ '.sql' -%}
    with declared as (
        select * from values {{ declared | join(', ') }} as declared(field, is_optional)
    ),

    landed as (
        select * from {{ api.Relation.create(schema=var('schema_prefix') ~ 'bronze', identifier='bronze_' ~ node.name) }}
        where batch_id in ({{ batch_ids | join(', ') }}) and unreadable_reason is null
    ),

    {% if node.config.meta['format'] == 'csv' %}
    named as (
        select batch_id, field, 'text' as type from landed lateral view explode(map_keys(fields)) as field
    ),
    {% else %}
    named as (
        select landed.batch_id, member.key as field, {{ _kind_of_value('schema_of_variant(member.value)') }} as type
        from landed, lateral variant_explode(try_parse_json(record)) as member
    ),
    {% endif %}

    fields as (
        select batch_id, field, array_join(array_sort(collect_set(type)), ' or ') as types, count(*) as record_count
        from named
        group by batch_id, field
    ),

    newest as (
        select * from fields where batch_id = {{ batch_ids[0] }}
    ),

    added as (
        select newest.* from newest left anti join declared on newest.field = declared.field
    ),

    missing as (
        select declared.* from declared left anti join newest on declared.field = newest.field where not declared.is_optional
    ),

    drift as (
        select
            'new' as kind, field, concat('not declared; ', types) as found, record_count,
            concat('declare it in models/landing.yml: - {name: ', field, ', description: ...}; to use it, read it in {{ judged }}') as to_accept
        from added

        union all

        select
            'missing', field, 'declared, but in no record', 0,
            'if it may be missing, declare config: {meta: {is_optional: true}} for it in models/landing.yml'
        from missing

        union all

        select
            'renamed', missing.field, concat('perhaps ', added.field, ' now'), added.record_count,
            concat('declare both as optional in models/landing.yml, and read coalesce(', added.field, ', ', missing.field, ') in {{ judged }}')
        from missing
        inner join added
            on levenshtein(lower(missing.field), lower(added.field)) <= 2
            or contains(lower(added.field), lower(missing.field))
            or contains(lower(missing.field), lower(added.field))

        union all

        select
            'retyped', newest.field, concat(newest.types, ', ', before.types, ' in the batch before'), newest.record_count,
            'see that {{ judged }} reads both; records that it cannot read are in quarantine'
        from newest
        inner join fields as before on newest.field = before.field and before.batch_id < newest.batch_id
        where newest.types <> before.types and newest.types <> '' and before.types <> ''
    )

    select '{{ node.name }}' as source, {{ batch_ids[0] }} as batch_id, kind, field, found, record_count, to_accept from drift
{%- endmacro -%}

{#- NULL for null, which goes with any type. -#}
{%- macro _kind_of_value(type) -%}
case
            when {{ type }} = 'VOID' then null
            when {{ type }} = 'STRING' then 'text'
            when {{ type }} = 'BOOLEAN' then 'boolean'
            when {{ type }} like 'OBJECT%' then 'object'
            when {{ type }} like 'ARRAY%' then 'array'
            else 'number'
        end
{%- endmacro -%}
