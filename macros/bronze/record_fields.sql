{#- Enters which fields the records of new batches have, how often and of which types, as they came; of JSON also those of objects
    in a record (`buyer.ref`) and of objects in a list (`lines[].sku`). After a killed run it may have been done; not looked up by
    the INSERT itself, because Delta would then refuse all other sources that write beside it. -#}
{%- macro record_fields(bronze, source_name, batch_id, after_kill=false) -%}
    {%- if after_kill -%}
        {%- set recorded = run_query('select coalesce(max(batch_id), 0) from ' ~ batch_fields() ~ " where source = '" ~ source_name ~ "'").rows[0][0] -%}
        {%- set batch_id = [batch_id, recorded | int + 1] | max -%}
    {%- endif -%}
    {%- set source = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') | selectattr('name', 'equalto', source_name) | first -%}
    {%- call statement('record_fields') -%}
        insert into {{ batch_fields() }}
        with landed as (
            select * from {{ bronze }} where batch_id >= {{ batch_id }} and unreadable_reason is null
        ),

        {% if source.config.meta['format'] == 'csv' -%}
        headers as (
            select batch_id, map_keys(fields) as names, count(*) as record_count from landed group by batch_id, map_keys(fields)
        ),

        named as (
            select batch_id, field, array('text') as types, record_count from headers lateral view explode(names) as field
        ),
        {%- else -%}
        shaped as (
            select
                batch_id,
                record,
                regexp_replace(schema_of_variant(try_parse_json(record)), 'BIGINT|DOUBLE|FLOAT|DECIMAL[(][0-9,]+[)]', '') as shape
            from landed
        ),

        -- records of one shape have the same fields and types, so one is taken apart for all; a list of unlike values has no shape
        samples as (
            select batch_id, min(record) as record, count(*) as record_count
            from shaped
            group by batch_id, shape, case when contains(shape, 'VARIANT') then record end
        ),

        members as (
            select samples.*, member.key as field, member.value
            from samples, lateral variant_explode(try_parse_json(samples.record)) as member
        ),

        inner_members as (
            select members.batch_id, members.record, members.record_count, members.field, member.key, member.value
            from members, lateral variant_explode(members.value) as member
        ),

        list_members as (
            select elements.batch_id, elements.record, elements.record_count, elements.field, member.key, member.value
            from (select * from inner_members where key is null) as elements, lateral variant_explode(elements.value) as member
        ),

        known as (
            select batch_id, record, record_count, field, value from members
            union all
            select batch_id, record, record_count, concat(field, '.', key), value from inner_members where key is not null
            union all
            select batch_id, record, record_count, concat(field, '[].', key), value from list_members where key is not null
        ),

        typed as (
            select *, {{ _kind_of_value('schema_of_variant(value)') }} as type from known
        ),

        named as (
            select batch_id, field, collect_set(type) as types, record_count
            from typed
            group by batch_id, record, record_count, field
        ),
        {%- endif %}

        counted as (
            select
                batch_id,
                field,
                array_join(array_sort(array_distinct(flatten(collect_list(types)))), ' or ') as types,
                sum(record_count) as record_count
            from named
            group by batch_id, field
        )

        select '{{ source_name }}', batch_id, field, types, record_count, current_timestamp() from counted
    {%- endcall -%}
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
