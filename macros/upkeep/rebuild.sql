{#- A SELECT of one row per table: how it differs from the same table of another lake, in the folder `rebuilt`. Columns that only one of them has
    are named. On this machine only. -#}
{%- macro rebuilt_differences(names, rebuilt) -%}
    {%- for node in (graph.nodes.values() if execute else [])
        if node.resource_type == 'model' and node.name in names and node.config.materialized in ['incremental', 'table'] %}
        {{ 'union all ' if loop.index > 1 }}
        {%- set new = by_place(relation_of(node)) | replace(lake_location(), rebuilt ~ '/warehouse') -%}
        {%- set old = by_place(relation_of(node)) if load_relation(relation_of(node)) else '(select * from ' ~ new ~ ' where false)' -%}
        {%- set old_columns, new_columns = _names_of(old), _names_of(new) -%}
        {%- set both = old_columns | select('in', new_columns) | list -%}
        {%- set key = key_of(node) | select('in', both) | list or both -%}
        select
            '{{ node.schema }}.{{ node.name }}' as table_name,
            differences.*,
            {{ sql_literal((old_columns + new_columns) | reject('in', both) | join(', ')) }} as other_columns
        from ({{ compared(old, new, key, both | reject('in', lineage_columns()) | list) }}) as differences
    {%- else %}
        select '' as table_name, 0 as row_count, 0 as rebuilt_count, 0 as missing_count, 0 as extra_count, 0 as different_count, '' as example,
            '' as other_columns
        where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _names_of(table) -%}
    {{- return(adapter.get_column_schema_from_query('select * from ' ~ table ~ ' as columns_only where false limit 0') | map(attribute='name') | list) -}}
{%- endmacro -%}
