{#- A SELECT of the records of a source that wait in quarantine, as they came; or of those that were discarded. -#}
{%- macro quarantined_records(source, rule=none, source_file=none, is_discarded=false) -%}
    {%- set quarantine = (project_tables(table='quarantine_' ~ source) if execute else []) | first -%}
    {%- if not (quarantine and load_relation(discarded_records())) -%}
        select
            0 as batch_id, '' as source_file, 0 as record_number, array('') as violated_rules, current_timestamp() as ingested_at,
            '' as record, '' as note
        where false
    {%- else -%}
        select waiting.*, discarded.note
        from (
            select batch_id, source_file, record_number, violated_rules, ingested_at, record
            from {{ quarantine.relation }}
            where
                {{ 'array_contains(violated_rules, ' ~ sql_literal(rule) ~ ')' if rule else 'true' }}
                and {{ 'source_file = ' ~ sql_literal(source_file) if source_file else 'true' }}
        ) as waiting
        left join (select * from {{ discarded_records() }} where source = '{{ source }}') as discarded
            on waiting.batch_id = discarded.batch_id
            and waiting.source_file = discarded.source_file
            and waiting.record_number = discarded.record_number
        where discarded.note is {{ 'not ' if is_discarded }}null
    {%- endif -%}
{%- endmacro -%}
