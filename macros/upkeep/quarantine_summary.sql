{#- A SELECT with one row a source and violated rule; a record that violates two rules counts for both. Discarded
    records no longer wait:
    dbt show --inline "{{ quarantine_summary() }}" --limit -1 -#}
{%- macro quarantine_summary(source=none) -%}
    {%- set quarantines = [] -%}
    {%- for entry in (project_tables(table=('quarantine_' ~ source) if source else none) if execute else [])
        if entry.name.startswith('quarantine_') -%}
        {%- do quarantines.append(entry) -%}
    {%- endfor -%}
    {%- for entry in quarantines %}
        select
            '{{ entry.name[11:] }}' as source,
            rule,
            count(*) as record_count,
            min(ingested_at) as oldest_ingested_at,
            max(ingested_at) as newest_ingested_at
        from ({{ quarantined_records(entry.name[11:]) }}) as waiting
        lateral view explode(violated_rules) as rule
        group by rule
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as source, '' as rule, 0 as record_count, current_timestamp() as oldest_ingested_at, current_timestamp() as newest_ingested_at
        where false
    {%- endfor %}
{%- endmacro -%}
