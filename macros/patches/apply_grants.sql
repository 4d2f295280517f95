{#-
    What upstream does: sends GRANT even to a catalog that has none; the model fails after its table was written.
    Here: no statement. On a lake of this machine the groups of its files do what `grants` says (scripts/access.py); elsewhere
    assert_ready warns once. On a cluster whose catalog has GRANT set the var catalog_has_grants to true; then upstream's own macro runs.
    Can go when: open-source Spark has GRANT without Hive's own authorization.
-#}
{%- macro spark__apply_grants(relation, grant_config, should_revoke=True) -%}
    {%- if var('catalog_has_grants', adapter.type() != 'spark') -%}
        {{- return(default__apply_grants(relation, grant_config, should_revoke)) -}}
    {%- endif -%}
{%- endmacro -%}
