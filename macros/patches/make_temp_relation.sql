{#-
    What upstream does: names a staging view after the table alone. All threads share one session, so two models of one name
    in two schemas stage into the same view and write each other's rows (dbt-labs/dbt-spark#350, databricks/dbt-databricks#803).
    Here: the schema is part of the view's name.
    Can go when: dbt-spark does the same (dbt-databricks: unique_tmp_table_suffix).
-#}
{%- macro spark__make_temp_relation(base_relation, suffix='__dbt_tmp') -%}
    {%- set identifier = base_relation.schema ~ '__' ~ base_relation.identifier ~ suffix -%}
    {{- return(api.Relation.create(identifier=identifier, type='view').include(database=false, schema=false)) -}}
{%- endmacro -%}
