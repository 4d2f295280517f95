{#-
    What upstream does: stages a snapshot in a real view `<snapshot>__dbt_tmp`, which stays visible in the schema when the MERGE
    fails.
    Here: a temporary view, named after schema and snapshot; it ends with the session.
    Can go when: dbt-spark stages snapshots in a temporary view.
-#}
{%- macro spark_build_snapshot_staging_table(strategy, sql, target_relation) -%}
    {%- set staged = make_temp_relation(target_relation) -%}
    {%- call statement('build_snapshot_staging_relation') -%}
        {{ create_temporary_view(staged, snapshot_staging_table(strategy, sql, target_relation)) }}
    {%- endcall -%}
    {{- return(staged) -}}
{%- endmacro -%}
