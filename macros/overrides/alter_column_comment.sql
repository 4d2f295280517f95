{#-
    What upstream does: one `alter table` a documented column on every run, each of them a Delta commit even when nothing
    changed (databricks/dbt-databricks#507, #513, #845); a backslash in a description is lost.
    Here: only comments that differ from the table's, all of them in one statement and so in one commit.
    Can go when: dbt-spark compares before it writes (a second run then adds no version to `describe history`).
-#}
{%- macro spark__alter_column_comment(relation, column_dict) -%}
    {#- A view gets its comments in `create view`, and its table type comes with the model's file_format all the same. -#}
    {%- if relation.type != 'view' and config.get('file_format', 'delta') in ['delta', 'iceberg', 'hudi'] -%}
        {%- set comments = {} -%}
        {%- for row in run_query('describe table ' ~ relation).rows -%}
            {%- do comments.setdefault(row[0] | lower, row[2] or '') -%}
        {%- endfor -%}
        {%- set changes = [] -%}
        {%- for name, column in column_dict.items() if comments.get(name | lower) != column['description'] -%}
            {%- do changes.append(adapter.quote(name) ~ ' comment ' ~ sql_literal(column['description'])) -%}
        {%- endfor -%}
        {%- if changes -%}
            {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ changes | join(', ')) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}
