{#- A SELECT of the records of a source that wait in quarantine, as they came. -#}
{%- macro quarantined_records(source, rule=none) -%}
    {%- set quarantine = (project_tables(table='quarantine_' ~ source) if execute else []) | first -%}
    select
        {{ 'source_file, record_number, violated_rules, ingested_at, record from ' ~ quarantine.relation if quarantine
            else "'' as source_file, 0 as record_number, array('') as violated_rules, current_timestamp() as ingested_at, '' as record" }}
    where {{ 'false' if not quarantine else 'array_contains(violated_rules, ' ~ sql_literal(rule) ~ ')' if rule else 'true' }}
{%- endmacro -%}
