{#-
    What upstream does: puts the model's description into `create table`, with its quotes escaped but neither backslashes nor `${..}`.
    Sail takes no comment in `create table .. as select`.
    Here: as a literal that is read as it was written, where the engine takes one.
    Can go when: a description with a backslash survives (dbt/include/spark/macros/adapters.sql), and Sail takes a comment there.
-#}
{%- macro spark__comment_clause() -%}
    {%- set description = model.get('description') -%}
    {%- if on_engine('can_alter') and description and (config.get('persist_docs') or {}).get('relation') -%}
    comment {{ sql_literal(description) }}
    {%- endif -%}
{%- endmacro -%}
