{#-
    What upstream does: a snapshot with `hard_deletes: new_record` gets a row of NULLs, without even its key, for a deleted
    record, and never closes it (dbt-labs/dbt-adapters#1401). A snapshot whose YAML has no `config:` of its own goes to the
    target's schema, whatever dbt_project.yml says (dbt/parser/schemas.py, parse_patch).
    Here: both are refused. Only snapshots call this macro, and before anything else, so nothing is written.
    Can go when: dbt-spark supports new_record, and dbt-core gives such a snapshot the schema of dbt_project.yml.
-#}
{%- macro spark__get_or_create_relation(database, schema, identifier, type) -%}
    {%- if config.get('hard_deletes') == 'new_record' -%}
        {{- exceptions.raise_compiler_error(
            "Snapshot '" ~ model.name ~ "': hard_deletes: new_record writes rows of NULLs on Spark. Use invalidate, which closes the deleted row."
        ) -}}
    {%- elif model.schema != generate_schema_name(config.get('schema'), model) | trim -%}
        {{- exceptions.raise_compiler_error(
            "Snapshot '" ~ model.name ~ "' would be written to the schema " ~ model.schema ~ ": dbt ignores the schema in dbt_project.yml"
            ~ " when the snapshot's YAML has no config of its own. Give it one, for instance config: {schema: " ~ (config.get('schema') or 'silver') ~ "}."
        ) -}}
    {%- endif -%}
    {%- do name_inputs(model) -%}
    {{- return(default__get_or_create_relation(database, schema, identifier, type)) -}}
{%- endmacro -%}
