{#-
    What upstream does: creates the schemas of the selected models and tells nobody.
    Here: the same, and this run remembers it, so that no table asks for it again.
    Can go when: never; it saves a statement a table.
-#}
{%- macro spark__create_schema(relation) -%}
    {%- do name_schema(relation.schema) -%}
{%- endmacro -%}
