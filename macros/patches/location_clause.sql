{#-
    What upstream does: puts a table with a location_root at `<root>/<alias>`; tables of one name in two schemas share that
    folder and the later one overwrites the other (databricks/dbt-databricks#823 for its own).
    Here: `<root>/<schema>/<alias>`; refused in a lake on this machine, whose tables lie where both engines find them.
    Can go when: dbt-spark has the schema in the path (dbt-databricks: include_full_name_in_path).
-#}
{%- macro spark__location_clause() -%}
    {%- set root = config.get('location_root') -%}
    {%- if lake_is_local() and root is not none -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ": location_root does not work in a lake on this machine, whose tables are found in its warehouse only. Take it out."
        ) -}}
    {%- elif root is not none -%}
    location {{ sql_literal(root.rstrip('/') ~ '/' ~ model.schema ~ '/' ~ model.alias) }}
    {%- else -%}
    {{ lake_location_clause(this) }}
    {%- endif -%}
{%- endmacro -%}
