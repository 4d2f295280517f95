{#-
    What upstream does: one `alter table` per documented column on every run, each of them a Delta commit even if nothing
    changed (databricks/dbt-databricks#507, #513, #845).
    Here: all comments in one statement, and only when a description changed.
    Can go when: dbt-spark compares before it writes (a second run then adds no version to `describe history`).
-#}
{%- macro spark__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if for_columns and relation.type != 'view' and config.get('file_format') == 'delta' -%}
        {%- do forget_state(relation) -%}
        {%- do keep_comments(relation, table_properties(relation)) -%}
    {%- endif -%}
{%- endmacro -%}
