{{ config(
    unique_key=['customer_id', 'sequence'],
    matched_condition='DBT_INTERNAL_SOURCE.record_hash > DBT_INTERNAL_DEST.record_hash',
) }}

with judged as (
    select * from {{ ref('judged_customers') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_customers')) }}
),

deduplicated as (
    {{ deduplicate('judged', ['customer_id', 'sequence'], ['record_hash desc', 'source_file', 'record_number']) }}
),

final as (
    select
        customer_id,
        sequence,
        operation,
        status,
        email,
        country,
        updated_at,
        record_hash,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from deduplicated
)

select * from final
