{#- '$' is escaped too, because Spark puts values for ${...} also inside literals. -#}
{%- macro sql_literal(value) -%}
    {{- return("'" ~ (value | string | replace('\\', '\\\\') | replace("'", "\\'") | replace('$', '\\u0024')) ~ "'") -}}
{%- endmacro -%}
