{#- What an incremental model is about to do, as a comment in its own SQL: the window is decided while the SQL is
    rendered and acted on later by the materialization, and between the two only the SQL is handed on.
    Whoever reads the compiled SQL sees it too. -#}
{%- macro write_plan(plan) -%}
    {#- '*' and '/' never stand in the comment as they are: no value from outside can end it. Nor does '$': Spark puts values
        for ${...} anywhere in a statement. -#}
    {%- set text = tojson(plan) | replace('*', '\\u002a') | replace('/', '\\u002f') | replace('$', '\\u0024') -%}
    /* medallion {{ text }} */
{%- endmacro -%}
