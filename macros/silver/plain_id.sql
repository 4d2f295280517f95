{#- A number that identifies somebody, as text: spreadsheets and JSON writers make 17850.0 of 17850. -#}
{%- macro plain_id(value) -%}
    regexp_replace({{ non_blank(value) }}, '[.]0$', '')
{%- endmacro -%}
