{#- Enters which fields the records of new batches have, how often and of which types, as they came. After a killed run it may
    have been done; not looked up by the INSERT itself, because Delta would then refuse all other sources that write beside it. -#}
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
            select batch_id, field, 'text' as type, record_count from headers lateral view explode(names) as field
        ),
        {%- else -%}
        named as (
            select
                landed.batch_id,
                member.key as field,
                {{ _kind_of_value('schema_of_variant(member.value)') }} as type,
                1 as record_count
            from landed, lateral variant_explode(try_parse_json(record)) as member
        ),
        {%- endif %}

        counted as (
            select batch_id, field, array_join(array_sort(collect_set(type)), ' or ') as types, sum(record_count) as record_count
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
