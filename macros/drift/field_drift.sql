{#- A SELECT of how the fields of the newest batch of a source, or of each source, differ from those that are declared in
    models/landing.yml, and their types from those of the batch before: kind (new, missing, renamed, retyped), field, what was
    found, in how many records, and what would accept it. CSV has no types. -#}
{%- macro field_drift(source=none) -%}
    {%- set fields = [] -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'landing' and source in [none, node.name] -%}
        {%- for column in node.columns.values() -%}
            {%- do fields.append(
                '(' ~ sql_literal(node.name) ~ ', ' ~ sql_literal(column.name) ~ ', ' ~ column.config.meta.get('is_optional', false) ~ ')'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if fields and load_relation(batch_fields()) -%}
        {{ _field_drift_sql(fields) }}
    {%- else -%}
        select '' as source, 0 as batch_id, '' as kind, '' as field, '' as found, 0 as record_count, '' as to_accept where false
    {%- endif -%}
{%- endmacro -%}

{%- macro _field_drift_sql(fields) -%}
    with declared as (
        select * from values {{ fields | join(', ') }} as declared(source, field, is_optional)
    ),

    batches as (
        select source, batch_id, row_number() over (partition by source order by batch_id desc) as age
        from (select distinct source, batch_id from {{ file_ledger() }} where record_count > unreadable_count)
        where source in (select source from declared)
    ),

    newest as (
        select landed.*
        from {{ batch_fields() }} as landed
        inner join batches on landed.source = batches.source and landed.batch_id = batches.batch_id and batches.age = 1
    ),

    before as (
        select landed.*
        from {{ batch_fields() }} as landed
        inner join batches on landed.source = batches.source and landed.batch_id = batches.batch_id and batches.age = 2
    ),

    added as (
        select newest.* from newest left anti join declared on newest.source = declared.source and newest.field = declared.field
    ),

    missing as (
        select batches.source, batches.batch_id, declared.field
        from declared
        inner join batches on declared.source = batches.source and batches.age = 1
        left anti join newest on declared.source = newest.source and declared.field = newest.field
        where not declared.is_optional
    ),

    drift as (
        select
            source, batch_id, 'new' as kind, field, concat('not declared; ', types) as found, record_count,
            concat('declare it in models/landing.yml: - {name: ', field, ', description: ...}; to use it, read it in ') as to_accept
        from added

        union all

        select
            source, batch_id, 'missing', field, 'declared, but in no record', 0,
            'if it may be missing, declare config: {meta: {is_optional: true}} for it in models/landing.yml; it is read in '
        from missing

        union all

        select
            missing.source, missing.batch_id, 'renamed', missing.field, concat('perhaps ', added.field, ' now'), added.record_count,
            concat('declare both as optional in models/landing.yml, and read coalesce(', added.field, ', ', missing.field, ') in ')
        from missing
        inner join added
            on missing.source = added.source
            and (
                levenshtein(lower(missing.field), lower(added.field)) <= 2
                or contains(lower(added.field), lower(missing.field))
                or contains(lower(missing.field), lower(added.field))
            )

        union all

        select
            newest.source, newest.batch_id, 'retyped', newest.field, concat(newest.types, ', ', before.types, ' in the batch before'),
            newest.record_count, 'records that cannot be read are in quarantine; both types can be read in '
        from newest
        inner join before on newest.source = before.source and newest.field = before.field
        where newest.types <> before.types and newest.types <> '' and before.types <> ''
    )

    select source, batch_id, kind, field, found, record_count, concat(to_accept, 'models/silver/judged/judged_', source, '.sql') as to_accept
    from drift
{%- endmacro -%}
