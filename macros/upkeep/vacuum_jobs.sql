{#- A SELECT of what VACUUM has to do on the tables, as optimize_jobs has it for OPTIMIZE. `num_files`, the files to delete, is NULL on Sail: delta-rs counts them. Delta lists a thousand at most. -#}
{%- macro vacuum_jobs(layer=none, table=none, lite=false) -%}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set property = describe_table(entry.relation).properties.get('delta.deletedFileRetentionDuration') -%}
        {%- set hours = retention_hours(property) -%}
        {%- set is_refused = _retention_is_refused(hours, entry.config) -%}
        {%- set num_files = 'cast(null as bigint)' -%}
        {%- if engine() == 'spark' and not is_refused -%}
            {%- set num_files = run_query(vacuum_sql(entry.relation, lite, dry_run=true)).rows | length -%}
        {%- endif %}
        select
            '{{ entry.layer }}.{{ entry.name }}' as table_name,
            {{ sql_literal(_upkeep_location(entry.relation)) }} as location,
            {{ is_refused | string | lower }} as is_refused,
            {{ sql_literal((property or 'interval 1 week, the default') | replace('interval ', '')) }} as retention,
            {{ hours or 0 }} as hours,
            {{ num_files }} as num_files
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, '' as location, false as is_refused, '' as retention, 0 as hours, 0 as num_files
        where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _retention_is_refused(hours, config) -%}
    {{- return(not hours or (hours < 168 and not (config.get('meta') or {}).get('allow_short_retention', false))) -}}
{%- endmacro -%}
