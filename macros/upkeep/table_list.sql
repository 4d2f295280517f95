{#- A SELECT with layer and table_name of the tables that exist, without asking Delta anything. -#}
{%- macro table_list(layer=none, table=none) -%}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        select '{{ entry.layer }}' as layer, '{{ entry.name }}' as table_name
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as layer, '' as table_name where false
    {%- endfor %}
{%- endmacro -%}
