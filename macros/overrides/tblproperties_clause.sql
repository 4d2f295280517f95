{#-
    What upstream does: writes a YAML boolean as Python does ('delta.appendOnly' = 'True'), which Spark understands and delta-rs
    takes for unset: it deleted rows of an append-only table. Breaks on a quote in a value.
    Here: booleans in lower case, values escaped, room for a property that a materialization adds itself, and the constraints of a
    contract, which a new table so has from its first commit on; ALTER TABLE would need a commit and a scan for each.
    Can go when: dbt-spark's clause renders `true` for true (dbt/include/spark/macros/adapters.sql).
-#}
{%- macro spark__tblproperties_clause(more=none) -%}
    {%- set properties = [] -%}
    {%- for name, value in dict(config.get('tblproperties') or {}, **(more or {})).items() if value is not none -%}
        {%- set text = value | string | lower if value is boolean else value | string -%}
        {%- do properties.append(sql_literal(name) ~ ' = ' ~ sql_literal(text)) -%}
    {%- endfor -%}
    {%- if engine() == 'spark' -%}
        {%- for name, condition in declared_constraints().items() -%}
            {%- do properties.append(sql_literal('delta.constraints.' ~ name) ~ ' = ' ~ sql_literal(condition)) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if properties -%}
    tblproperties ({{ properties | join(', ') }})
    {%- endif -%}
{%- endmacro -%}
