{#-
    What upstream does: puts the target's schema in front of every schema of a model (`ops_silver`), and builds a model that
    names none in the target's own schema, where nobody looks for it.
    Here: schemas have the names that readers rely on (bronze, silver, gold, ops), with the var schema_prefix in front; a model, seed or
    snapshot without a schema is an error at parse time.
    Can go when: never; dbt leaves this name to the project (docs.getdbt.com, "Custom schemas").
-#}
{%- macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- if custom_schema_name is none and node is not none and node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {{- exceptions.raise_compiler_error(
            node.resource_type ~ " '" ~ node.name ~ "' has no schema. Put its file into the folder of a layer"
            ~ " (models/bronze, models/silver, models/gold), or set +schema for it in dbt_project.yml."
        ) -}}
    {%- endif -%}
    {{- _schema_name(custom_schema_name or target.schema, var('schema_prefix', '')) -}}
{%- endmacro -%}

{%- macro _schema_name(schema, prefix) -%}
    {#- Spark folds schema names to lower case and dbt does not: another case would hide existing tables from dbt. -#}
    {%- if not modules.re.match('^([a-z_][a-z0-9_]*)?$', prefix) -%}
        {{- exceptions.raise_compiler_error(
            "The var schema_prefix is '" ~ prefix ~ "': use lower-case letters, digits and _ only, and no digit first."
        ) -}}
    {%- endif -%}
    {{- return(prefix ~ (schema | trim)) -}}
{%- endmacro -%}
