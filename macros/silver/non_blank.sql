{%- macro non_blank(value) -%}
    nullif(trim({{ value }}), '')
{%- endmacro -%}
