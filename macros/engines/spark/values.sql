{%- macro spark__json_fields(record, fields) -%}
from_json({{ record }}, {{ sql_literal(fields) }})
{%- endmacro -%}

{%- macro spark__volatile_case() -%}{%- endmacro -%}

{#- The SQL of a model without what only this engine needs, so that both engines have the same fingerprint for a table. -#}
{%- macro spark__without_dialect(sql) -%}
    {{- return(sql) -}}
{%- endmacro -%}
