{#-
    What upstream does: drops `clustered_by` without `buckets` silently; with buckets Delta refuses the table; liquid
    clustering cannot be written at all (microsoft/dbt-fabricspark#187 has the same gap).
    Here: `liquid_clustered_by` (dbt-databricks' name, a column or a list) becomes `cluster by`; what cannot work is refused.
    Can go when: dbt-spark knows liquid_clustered_by.
-#}
{%- macro spark__clustered_cols(label, required=false) -%}
    {#- Both names may be in meta too, where no adapter complains about custom keys. -#}
    {%- set meta = config.get('meta') or {} -%}
    {%- set liquid = config.get('liquid_clustered_by') or meta.get('liquid_clustered_by') -%}
    {%- set zorder = config.get('zorder') or meta.get('zorder') -%}
    {%- set bucketed = config.get('clustered_by') -%}
    {%- set buckets = config.get('buckets') -%}
    {%- if bucketed and (buckets is none or config.get('file_format', 'delta') == 'delta') -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ": clustered_by makes buckets, which need the config buckets and which Delta tables cannot have. Use liquid_clustered_by."
        ) -}}
    {%- elif liquid and zorder -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ": liquid_clustered_by and zorder exclude each other. Keep liquid_clustered_by; OPTIMIZE then clusters by it."
        ) -}}
    {%- elif liquid -%}
    cluster by ({{ _column_list(liquid) }})
    {%- elif bucketed -%}
    {{ label }} ({{ _column_list(bucketed) }}) into {{ buckets }} buckets
    {%- endif -%}
{%- endmacro -%}

{%- macro _column_list(columns) -%}
    {{- return(columns if columns is string else columns | join(', ')) -}}
{%- endmacro -%}
