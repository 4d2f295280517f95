{#- A SELECT of what OPTIMIZE has to do on the tables, for the command `medallion`: it runs optimize_tables where the engine has SQL
    for it, and delta-rs on Sail, which has none. -#}
{%- macro optimize_jobs(layer=none, table=none, force=false) -%}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set policy = optimize_policy(entry.config) -%}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set is_due = not policy.skip and _optimize_pays(entry.relation, detail, policy, 'always' if force else 'when_needed') %}
        select
            '{{ entry.layer }}.{{ entry.name }}' as table_name,
            {{ sql_literal(_upkeep_location(entry.relation)) }} as location,
            {{ policy.skip | string | lower }} as is_skipped,
            {{ is_due | string | lower }} as is_due,
            {{ sql_literal(policy.zorder | join(',')) }} as zorder,
            {{ detail.num_files }} as num_files,
            cast({{ detail.size_in_bytes }} as bigint) as size_in_bytes
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, '' as location, false as is_skipped, false as is_due, '' as zorder, 0 as num_files, 0 as size_in_bytes
        where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _upkeep_location(relation) -%}
    {{- return(lake_location(relation.schema, relation.identifier) if engine() == 'sail' else '') -}}
{%- endmacro -%}

{#- Bare dbt can only run SQL. -#}
{%- macro _assert_upkeep_possible(command) -%}
    {%- if engine() == 'sail' -%}
        {{- exceptions.raise_compiler_error(
            'Sail has no SQL for this. Run medallion ' ~ command ~ ' --target sail: it applies the same rules and works through delta-rs.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
