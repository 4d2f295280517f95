{#- A SELECT with layer and table_name of the tables that exist, in the order of the layers, without asking Delta anything. -#}
{%- macro table_list(layer=none, table=none) %}
    select layer, table_name
    from (
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        select '{{ entry.layer }}' as layer, '{{ entry.name }}' as table_name, {{ loop.index }} as position
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as layer, '' as table_name, 0 as position where false
    {%- endfor %}
    ) as tables
    order by position
{%- endmacro -%}
