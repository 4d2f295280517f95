{%- macro spark__json_fields(record, fields) -%}
from_json({{ record }}, {{ sql_literal(fields) }})
{%- endmacro -%}

{%- macro spark__volatile_case() -%}{%- endmacro -%}

{#- The SQL of a model without what only this engine needs, so that both engines know a table by the same text. -#}
{%- macro spark__without_dialect(sql) -%}
    {{- return(sql) -}}
{%- endmacro -%}
