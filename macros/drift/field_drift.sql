{#- A SELECT of how the fields of batches that silver has not taken in, or else of the newest batch, differ from those that are
    declared in models/landing.yml: kind (new, missing, renamed, retyped), field, what was found, in how many records, and what would
    accept it. Drift in a batch that stopped a build is reported until it is fixed, even after newer batches arrive. -#}
{%- macro field_drift(source=none) -%}
    {%- set fields = [] -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'landing' and source in [none, node.name] -%}
        {%- for column in node.columns.values() -%}
            {%- set meta = column.config.meta -%}
            {%- do fields.append(
                '(' ~ [
                    sql_literal(node.name),
                    formats().get(node.config.meta['format'], {}).get('has_fields', false),
                    sql_literal(column.name),
                    meta.get('is_optional', false),
                    sql_literal(meta['types']) if meta.get('types') else 'cast(null as string)',
                ] | join(', ') ~ ')'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if fields and load_relation(batch_fields()) and load_relation(row_ledger()) -%}
        {%- for ledger in [file_ledger(), batch_fields(), row_ledger()] -%}{%- do name_table(ledger) -%}{%- endfor -%}
        {{ _field_drift_sql(fields) }}
    {%- else -%}
        select '' as source, 0 as batch_id, '' as kind, '' as field, '' as found, 0 as record_count, '' as to_accept where false
    {%- endif -%}
{%- endmacro -%}

{%- macro _field_drift_sql(fields) -%}
    with declared as (
        select *, case when not has_fields then {{ _parent_of('field') }} end as parent
        from values {{ fields | join(', ') }} as declared(source, has_fields, field, is_optional, types)
    ),

    taken_in as (
        select source, max(batch_id) as batch_id from {{ row_ledger() }} group by source
    ),

    -- two builds at once may have entered a file or a field twice
    landed as (
        select
            files.source,
            files.batch_id,
            sum(files.readable_count) as readable_count,
            max(files.batch_id) over (partition by files.source) as newest,
            coalesce(max(taken_in.batch_id), 0) as taken_in
        from (
            select source, source_file, batch_id, max(record_count - unreadable_count) as readable_count
            from {{ file_ledger() }}
            group by source, source_file, batch_id
        ) as files
        left join taken_in on files.source = taken_in.source
        where files.source in (select source from declared)
        group by files.source, files.batch_id
        having sum(files.readable_count) > 0
    ),

    batches as (
        select landed.*, formats.has_fields
        from landed
        inner join (select distinct source, has_fields from declared) as formats on landed.source = formats.source
        where batch_id > least(taken_in, newest - 1)
    ),

    known as (
        select source, batch_id, field, max(types) as types, max(record_count) as record_count
        from {{ batch_fields() }}
        group by source, batch_id, field
    ),

    present as (
        select known.*, batches.taken_in, case when not batches.has_fields then {{ _parent_of('known.field') }} end as parent
        from known
        inner join batches on known.source = batches.source and known.batch_id = batches.batch_id
    ),

    -- nested fields are checked if one of them is declared
    added as (
        select present.*
        from present
        left anti join declared on present.source = declared.source and present.field = declared.field
        left join (select distinct source, parent from declared) as opened
            on present.source = opened.source and present.parent = opened.parent
        left join known as parents
            on present.source = parents.source and present.batch_id = parents.batch_id and present.parent = parents.field
        where opened.parent is not null or parents.field is null
    ),

    -- in CSV a field that some records lack is a file without the column
    missing as (
        select
            batches.source, batches.batch_id, declared.field, declared.parent, batches.readable_count,
            coalesce(present.record_count, 0) as record_count
        from declared
        inner join batches on declared.source = batches.source
        left join present
            on batches.source = present.source and batches.batch_id = present.batch_id and declared.field = present.field
        left join known as parents
            on batches.source = parents.source and batches.batch_id = parents.batch_id and declared.parent = parents.field
        where
            not declared.is_optional
            and (declared.parent is null or parents.types rlike 'object|array')
            and (present.field is null or (declared.has_fields and present.record_count < batches.readable_count))
    ),

    -- of the earlier batches, the newest one that silver took in counts
    earlier as (
        select *
        from (
            select
                present.source, present.batch_id, present.field, known.types, known.batch_id as known_batch_id,
                row_number() over (
                    partition by present.source, present.batch_id, present.field
                    order by known.batch_id <= present.taken_in desc, known.batch_id desc
                ) as age
            from present
            inner join known on present.source = known.source and present.field = known.field and known.batch_id < present.batch_id
            where known.types <> ''
        )
        where age = 1
    ),

    typed as (
        select
            present.*,
            coalesce(declared.types, earlier.types) as expected,
            case when declared.types is null then concat(' in batch ', earlier.known_batch_id) else ' declared' end as whence
        from present
        left join declared on present.source = declared.source and present.field = declared.field
        left join earlier
            on present.source = earlier.source and present.batch_id = earlier.batch_id and present.field = earlier.field
        where present.types <> ''
    ),

    drift as (
        select
            source, batch_id, 'new' as kind, field, concat('not declared; ', types) as found, record_count,
            concat('declare it in models/landing.yml: - {name: "', field, '", description: ...}; to use it, read it in ') as to_accept
        from added

        union all

        select
            source, batch_id, 'missing', field,
            case
                when record_count = 0 then 'declared, but in no record'
                else concat('declared, but not in ', readable_count - record_count, ' of ', readable_count, ' records')
            end,
            record_count,
            'if it may be missing, declare config: {meta: {is_optional: true}} for it in models/landing.yml; it is read in '
        from missing

        union all

        select
            missing.source, missing.batch_id, 'renamed', missing.field, concat('perhaps ', added.field, ' now'), added.record_count,
            concat('declare both as optional in models/landing.yml, and read coalesce(', added.field, ', ', missing.field, ') in ')
        from missing
        inner join added
            on missing.source = added.source
            and missing.batch_id = added.batch_id
            and missing.parent <=> added.parent
            and {{ _is_similar(_plain_name('missing.field'), _plain_name('added.field')) }}

        union all

        select
            source, batch_id, 'retyped', field, concat(types, ', ', expected, whence), record_count,
            concat(
                'declare config: {meta: {types: ', array_join(array_sort(array_union(split(types, ' or '), split(expected, ' or '))), ' or '),
                '}} for it in models/landing.yml; records that cannot be read are in quarantine; both types can be read in '
            )
        from typed
        where size(array_except(split(types, ' or '), split(expected, ' or '))) > 0
    )

    select source, batch_id, kind, field, found, record_count, concat(to_accept, 'models/silver/judged/judged_', source, '.sql') as to_accept
    from drift
{%- endmacro -%}

{#- `buyer` for buyer.ref, `lines` for lines[].sku, NULL for a field at the top. -#}
{%- macro _parent_of(field) -%}
nullif(regexp_replace({{ field }}, '([\\[][\\]])*[.][^.]*$', ''), {{ field }})
{%- endmacro -%}

{%- macro _plain_name(field) -%}
    {{- return("lower(replace(substring_index(" ~ field ~ ", '.', -1), '_', ''))") -}}
{%- endmacro -%}

{#- Short names are similar by chance. -#}
{%- macro _is_similar(a, b) -%}
(
                {{ a }} = {{ b }}
                or (
                    least(length({{ a }}), length({{ b }})) >= 4
                    and (levenshtein({{ a }}, {{ b }}) <= 2 or contains({{ a }}, {{ b }}) or contains({{ b }}, {{ a }}))
                )
            )
{%- endmacro -%}
