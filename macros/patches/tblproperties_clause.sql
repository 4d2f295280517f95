{#-
    What upstream does: writes a YAML boolean as Python does ('delta.appendOnly' = 'True'), which Spark understands and delta-rs
    treats as unset: it deleted rows of an append-only table. Breaks on a quote in a value.
    Here: booleans in lower case, values escaped.
    Can go when: dbt-spark's clause renders `true` for true (dbt/include/spark/macros/adapters.sql).
-#}
{%- macro spark__tblproperties_clause() -%}
    {{- properties_clause() -}}
{%- endmacro -%}
