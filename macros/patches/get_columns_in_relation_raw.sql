{#-
    What upstream does: runs `describe extended` on a table that the session's catalog may not know; on Sail this returns no columns for a
    table that was named from the lake.
    Here: the table is named first, and the engine's verb asks.
    Can go when: the catalog of a local session outlives it, and Sail describes every table.
-#}
{%- macro spark__get_columns_in_relation_raw(relation) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('describe_columns', relation)) -}}
{%- endmacro -%}
