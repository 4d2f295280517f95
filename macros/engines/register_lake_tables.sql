{#- Names in the catalog the Delta tables of a schema that lie in the lake and the catalog does not know: on Sail all of them, as
    its catalog lives as long as a session, one dbt process; on Spark those that Sail made. -#}
{%- macro register_lake_tables(schema, known) -%}
    {%- set found = [] -%}
    {%- for table in run_query(_lake_tables_sql(schema)).rows | map(attribute='table_name') | reject('in', known) | unique -%}
        {%- do found.append(table) -%}
        {%- do run_query(
            'create table if not exists ' ~ schema ~ '.' ~ table ~ ' using delta location ' ~ sql_literal(lake_location(schema, table))
        ) -%}
    {%- endfor -%}
    {{- return(found) -}}
{%- endmacro -%}

{#- A table is told by any of its commits: the first ones go when Delta cleans its log. -#}
{%- macro _lake_tables_sql(schema) -%}
    {%- if engine() == 'sail' -%}
        select * from {{ sail_source('lake_tables', lake_location(schema)) }}
    {%- else -%}
        begin
            declare exit handler for path_not_found
            begin
                select '' as table_name where false;
            end;
            select element_at(split(path, '/'), -3) as table_name
            from binaryFile.`{{ lake_location(schema) | replace('`', '``') }}/*/_delta_log/[0-9]*.json`;
        end
    {%- endif -%}
{%- endmacro -%}
