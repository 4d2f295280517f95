{#- Sail's from_json would rewrite numbers: 2.50 becomes 2.5, and ids of more than 17 digits change. So numbers become text first: each match
    takes everything up to the next number, strings as a whole, or up to the end, so that none begins within a string. -#}
{%- macro sail__json_fields(record, fields) -%}
from_json({{ _numbers_as_text()[0] }}{{ record }}{{ _numbers_as_text()[1] }}, {{ sql_literal(fields) }})
{%- endmacro -%}

{%- macro _numbers_as_text() -%}
    {{- return([
        "trim(trailing '\"' from regexp_replace(",
        ", '((?:\"(?:[^\"\\\\\\\\]|\\\\\\\\.)*\"|[^-0-9\"])*)(-?[0-9][-+.0-9eE]*|$)', '$1\"$2\"'))",
    ]) -}}
{%- endmacro -%}

{#- Volatile, because Sail would otherwise push a filter on the result below it and compute every value once per mention. -#}
{%- macro sail__volatile_case() -%}
when rand() < 0 then null
{%- endmacro -%}

{#- The SQL of a model without what only this engine needs, so that both engines have the same fingerprint for a table. -#}
{%- macro sail__without_dialect(sql) -%}
    {{- return(sql | replace(_numbers_as_text()[0], '') | replace(_numbers_as_text()[1], '') | replace(sail__volatile_case() | trim, '')) -}}
{%- endmacro -%}
