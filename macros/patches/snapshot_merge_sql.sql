{#-
    What upstream does: inserts with `insert *`, which needs every column of the snapshot in the source: once a source drops a
    column, each run fails with an internal error that names nothing (DELTA_MERGE_UNRESOLVED_EXPRESSION).
    Here: dbt's own version, which lists the source's columns; the dropped one is NULL in new rows.
    Can go when: dbt-spark lists the columns.
-#}
{%- macro spark__snapshot_merge_sql(target, source, insert_cols) -%}
    {{- default__snapshot_merge_sql(target, source, insert_cols) -}}
{%- endmacro -%}
