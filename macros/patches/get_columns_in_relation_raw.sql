{#-
    What upstream does: asks `describe extended` of a table that the session's catalog may not know, and which on Sail gives no columns of
    a table that was named from the lake.
    Here: the table is named first, and the engine's port asks.
    Can go when: the catalog of a local session outlives it, and Sail describes every table.
-#}
{%- macro spark__get_columns_in_relation_raw(relation) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('describe_columns', relation)) -}}
{%- endmacro -%}
