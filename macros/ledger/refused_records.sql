{#- A SELECT of the records of a source in quarantine, for the row ledger: who they are, the rules they break, and whether
    they were discarded. -#}
{%- macro refused_records(source, of_batches) -%}
    select
        waiting.batch_id,
        waiting.source_file,
        waiting.record_number,
        array_join(waiting.violated_rules, ', ') as reason,
        discarded.batch_id is not null as is_discarded
    from (select * from {{ _of_source('quarantine', source) }} where {{ of_batches }}) as waiting
    left join (
        select distinct batch_id, source_file, record_number from {{ discarded_records() }} where source = '{{ source }}'
    ) as discarded
        on waiting.batch_id = discarded.batch_id
        and waiting.source_file = discarded.source_file
        and waiting.record_number = discarded.record_number
{%- endmacro -%}

{#- Place of a record that `refused` holds and that `landed` is in bronze. -#}
{%- macro _refused_place() -%}
case
    when refused.is_discarded then 'discarded'
    when landed.unreadable_reason is not null then 'unreadable'
    else 'quarantined'
end
{%- endmacro -%}
