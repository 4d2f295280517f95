{#-
    What upstream does: puts a table with a location_root at `<root>/<alias>`; tables of one name in two schemas share that
    folder and the later one overwrites the other (databricks/dbt-databricks#823 for its own).
    Here: `<root>/<schema>/<alias>`; refused on Sail, whose tables lie where both engines find them.
    Can go when: dbt-spark has the schema in the path (dbt-databricks: include_full_name_in_path).
-#}
{%- macro spark__location_clause() -%}
    {%- set root = config.get('location_root') -%}
    {%- if engine() == 'sail' and root is not none -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ": location_root does not work on Sail, which looks for tables in the warehouse only. Take it out, or build the model with --target local."
        ) -}}
    {%- elif engine() == 'sail' -%}
    {{ sail_location_clause(this) }}
    {%- elif root is not none -%}
    location {{ sql_literal(root.rstrip('/') ~ '/' ~ model.schema ~ '/' ~ model.alias) }}
    {%- endif -%}
{%- endmacro -%}
