{{ config(
    unique_key=['customer_id', 'sequence'],
    event_time='updated_at',
    newest_by=['is_delete', 'record_hash'],
    ledger={'source': 'customers', 'deleted': 'is_delete'},
) }}

-- depends_on: {{ ref('quarantine_customers') }}
with judged as (
    select * from {{ ref('judged_customers') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_customers')) }}
),

deduplicated as (
    {{ latest('judged') }}
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
        is_delete,
        record_hash,
        source_file,
        record_number,
        batch_id,
        batch_id as first_batch_id,
        ingested_at
    from deduplicated
)

select * from final
