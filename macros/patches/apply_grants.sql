{#-
    What upstream does: sends GRANT even to a catalog that has none; the model fails after its table was written.
    Here: a warning, which names the relation, and no statement. On a cluster whose catalog has GRANT set the var
    catalog_has_grants to true; then upstream's own macro runs.
    Can go when: open-source Spark has GRANT without Hive's own authorization.
-#}
{%- macro spark__apply_grants(relation, grant_config, should_revoke=True) -%}
    {%- if var('catalog_has_grants', adapter.type() != 'spark') -%}
        {{- return(default__apply_grants(relation, grant_config, should_revoke)) -}}
    {%- elif grant_config -%}
        {%- do exceptions.warn(
            "grants of " ~ relation ~ " are not applied: this catalog has no GRANT. If yours has, set the var catalog_has_grants to true."
        ) -%}
    {%- endif -%}
{%- endmacro -%}
