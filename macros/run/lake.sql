{#- Reads the state of all tables of a schema of a local lake at once, remembers it for this run, and returns the names of the tables. -#}
{%- macro read_schema(schema) -%}
    {%- set schemas = run_memory('schemas') -%}
    {%- if lake_is_local() and schema not in schemas -%}
        {%- set tables = run_memory('tables') -%}
        {%- set names = [] -%}
        {%- for table in on_engine('lake_tables', schema) -%}
            {%- do names.append(table.name) -%}
            {%- do tables.setdefault(schema ~ '.' ~ table.name, table) -%}
        {%- endfor -%}
        {%- do schemas.update({schema: names}) -%}
    {%- endif -%}
    {{- return(schemas.get(schema, [])) -}}
{%- endmacro -%}

{#- Puts a table of a local lake, if it exists, into the catalog of this session. -#}
{%- macro name_table(relation) -%}
    {%- set named = run_memory('named') -%}
    {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
    {%- if lake_is_local() and relation.schema and name not in named and table_state(relation) -%}
        {%- do name_schema(relation.schema) -%}
        {%- do run_query(
            'create table if not exists ' ~ relation ~ ' using delta location ' ~ sql_literal(lake_location(relation.schema, relation.identifier))
        ) -%}
        {%- do named.update({name: true}) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro name_schema(schema) -%}
    {%- set named = run_memory('named') -%}
    {%- if schema not in named -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- do named.update({schema: true}) -%}
    {%- endif -%}
{%- endmacro -%}

{#- The newest commits of a Delta table, newest first: version, operation, time of the commit (milliseconds since 1970), metrics, the writer's
    own words (userMetadata, a mapping), and whether the engine can read that version, VACUUM aside. -#}
{%- macro commits_of(relation, limit=1) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('commits', relation, limit)) -}}
{%- endmacro -%}

{#- What Delta knows of a table without reading it. -#}
{%- macro describe_table(relation) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('describe_table', relation)) -}}
{%- endmacro -%}

{#- A table to read from once: by its folder, which needs no name in the catalog of a local session. -#}
{%- macro by_place(relation) -%}
    {%- if lake_is_local() -%}
        {{- return('delta.`' ~ lake_location(relation.schema, relation.identifier) | replace('`', '``') ~ '`') -}}
    {%- endif -%}
    {{- return(relation | string) -}}
{%- endmacro -%}
