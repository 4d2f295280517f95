{#-
    What upstream does: creates the schemas of the selected models, without leaving a note for macros.
    Here: the same, and this run remembers it, so that no table asks for it again.
    Can go when: never; it saves one statement per table.
-#}
{%- macro spark__create_schema(relation) -%}
    {%- do name_schema(relation.schema) -%}
{%- endmacro -%}
