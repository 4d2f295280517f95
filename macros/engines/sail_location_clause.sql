{#- Sail gives a managed table a folder with a random name; so each table names its own. -#}
{%- macro sail_location_clause(relation) -%}
    {%- if engine() == 'sail' -%}
        location {{ sql_literal(lake_location(relation.schema, relation.identifier)) }}
    {%- endif -%}
{%- endmacro -%}
