{#-
    What upstream does: puts the model's description into `create table`. Sail takes no comment in `create table .. as select`.
    Here: no table comments on Sail; dbt's docs show the descriptions all the same.
    Can go when: Sail takes a comment there.
-#}
{%- macro spark__comment_clause() -%}
    {%- set description = model.get('description') -%}
    {%- if engine() == 'spark' and description and (config.get('persist_docs') or {}).get('relation') -%}
    comment {{ sql_literal(description) }}
    {%- endif -%}
{%- endmacro -%}
