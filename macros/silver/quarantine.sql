{#- The whole of a quarantine model: the new records that break a rule, as they came. -#}
{%- macro quarantine(judged, bronze) -%}
    select
        source_file,
        record_number,
        violated_rules,
        record,
        batch_id,
        ingested_at
    from {{ judged }}
    where size(violated_rules) > 0 and {{ new_batches(bronze) }}
{%- endmacro -%}
