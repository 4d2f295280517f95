{#- Where a table of a schema lies: the folder that Spark's warehouse would use, so that both engines share the lake. -#}
{%- macro sail_location(schema, identifier=none) -%}
    {%- set warehouse = absolute_path(env_var('MEDALLION_HOME', '.lake')) ~ '/warehouse' -%}
    {{- return(warehouse ~ '/' ~ schema ~ '.db' ~ ('/' ~ identifier if identifier else '')) -}}
{%- endmacro -%}
