{%- macro read_plan(sql) -%}
    {%- set found = modules.re.search('/[*] medallion (.*?) [*]/', sql) -%}
    {{- return(fromjson(found.group(1)) if found else {}) -}}
{%- endmacro -%}
