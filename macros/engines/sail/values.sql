{#- Sail's from_json would write numbers anew: 2.50 as 2.5, an id of more than 17 digits as another one. So they become text first: each match
    takes all up to the next number, strings whole, or to the end, so that none begins within a string. -#}
{%- macro sail__json_fields(record, fields) -%}
from_json({{ _numbers_as_text()[0] }}{{ record }}{{ _numbers_as_text()[1] }}, {{ sql_literal(fields) }})
{%- endmacro -%}

{%- macro _numbers_as_text() -%}
    {{- return([
        "trim(trailing '\"' from regexp_replace(",
        ", '((?:\"(?:[^\"\\\\\\\\]|\\\\\\\\.)*\"|[^-0-9\"])*)(-?[0-9][-+.0-9eE]*|$)', '$1\"$2\"'))",
    ]) -}}
{%- endmacro -%}

{#- Volatile, or else Sail moves a filter on the result below it and computes every value once for each mention. -#}
{%- macro sail__volatile_case() -%}
when rand() < 0 then null
{%- endmacro -%}

{#- The SQL of a model without what only this engine needs, so that both engines know a table by the same text. -#}
{%- macro sail__without_dialect(sql) -%}
    {{- return(sql | replace(_numbers_as_text()[0], '') | replace(_numbers_as_text()[1], '') | replace(sail__volatile_case() | trim, '')) -}}
{%- endmacro -%}
