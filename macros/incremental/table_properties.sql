{#- The properties of a Delta table, a dict. -#}
{%- macro table_properties(relation) -%}
    {%- if engine() == 'sail' -%}
        {{- return(describe_table(relation).properties) -}}
    {%- endif -%}
    {%- set properties = {} -%}
    {%- for row in run_query('show tblproperties ' ~ relation).rows -%}
        {%- do properties.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{- return(properties) -}}
{%- endmacro -%}
