{#-
    What upstream does: asks `describe extended`. On Sail that gives no columns of a table that was registered from the lake.
    Here: on Sail, those of a view over the table.
    Can go when: `describe extended` on Sail gives the columns of a table that was made without naming them.
-#}
{%- macro spark__get_columns_in_relation_raw(relation) -%}
    {%- set described = relation -%}
    {%- if engine() == 'sail' and relation.schema -%}
        {%- set described = make_temp_relation(relation, '__columns') -%}
        {%- do run_query('create or replace temporary view ' ~ described ~ ' as select * from ' ~ relation) -%}
    {%- endif -%}
    {{- return(run_query('describe extended ' ~ described)) -}}
{%- endmacro -%}
