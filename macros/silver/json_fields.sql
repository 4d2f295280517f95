{#- The fields of a JSON record as text, just as they stand in it. -#}
{%- macro json_fields(record, fields) -%}
    {{- on_engine('json_fields', record, fields) -}}
{%- endmacro -%}
