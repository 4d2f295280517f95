{#- Sail's catalog lives as long as a session, one dbt process; the tables live in the lake. So they are named again whenever dbt
    asks what there is. -#}
{%- macro sail_register_tables(schema) -%}
    {%- do run_query('create schema if not exists ' ~ schema) -%}
    {%- for table in run_query('select * from ' ~ sail_source('lake_tables', sail_location(schema))).rows -%}
        {%- do run_query(
            'create table if not exists ' ~ schema ~ '.' ~ table['table_name'] ~ ' using delta location '
            ~ sql_literal(sail_location(schema, table['table_name']))
        ) -%}
    {%- endfor -%}
{%- endmacro -%}
