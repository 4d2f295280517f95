{#- A lake on this machine: tables are folders, `<lake>/warehouse/<schema>.db/<table>`, which both engines share. The catalog of a session
    is empty when it starts, so each table is put into it by its folder when it is first used. A cluster has a catalog of its own. -#}
{%- macro lake_is_local() -%}
    {{- return(target.host in ['local', 'sail']) -}}
{%- endmacro -%}

{%- macro lake_location(schema=none, identifier=none) -%}
    {%- set warehouse = absolute_path(env_var('MEDALLION_HOME', '') or '.lake') ~ '/warehouse' -%}
    {%- do on_engine('assert_lake_path', warehouse) -%}
    {{- return(warehouse ~ ('/' ~ schema ~ '.db' if schema else '') ~ ('/' ~ identifier if identifier else '')) -}}
{%- endmacro -%}

{#- The clause that gives a table of a local lake its folder. -#}
{%- macro lake_location_clause(relation) -%}
    {%- if lake_is_local() -%}
    location {{ sql_literal(lake_location(relation.schema, relation.identifier)) }}
    {%- endif -%}
{%- endmacro -%}

{#- A path on this machine, absolute and in its simplest form, relative to the project's folder: Spark names files that way, and would put a
    table with a relative location below the warehouse. URLs are unchanged. -#}
{%- macro absolute_path(path) -%}
    {%- if modules.re.match('[a-zA-Z][a-zA-Z0-9+.-]*:', path) -%}
        {{- return(path.rstrip('/')) -}}
    {%- endif -%}
    {%- set project = invocation_args_dict.project_dir | string -%}
    {%- set base = project if project.startswith('/') else env_var('PWD', '') ~ '/' ~ project -%}
    {%- set steps = [] -%}
    {%- for step in (path if path.startswith('/') else base ~ '/' ~ path).split('/') if step not in ['', '.'] -%}
        {%- if step == '..' and steps -%}
            {%- do steps.pop() -%}
        {%- elif step != '..' -%}
            {%- do steps.append(step) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return('/' ~ steps | join('/')) -}}
{%- endmacro -%}

{%- macro landing_root() -%}
    {{- return(absolute_path(env_var('MEDALLION_LANDING', '') or var('landing_root'))) -}}
{%- endmacro -%}
