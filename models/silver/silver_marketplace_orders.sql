{{ config(
    unique_key='order_id',
    event_time='sales_date',
    newest_by=['revision', 'is_cancelled', 'record_hash'],
    ledger={'source': 'marketplace_orders', 'deleted': 'is_cancelled'},
) }}

-- depends_on: {{ ref('quarantine_marketplace_orders') }}
with judged as (
    select * from {{ ref('judged_marketplace_orders') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_marketplace_orders')) }}
),

deduplicated as (
    {{ latest('judged') }}
),

final as (
    select
        order_id,
        revision,
        buyer_id,
        country,
        currency,
        lines,
        placed_at,
        is_cancelled,
        cast(placed_at as date) as sales_date,
        record_hash,
        source_file,
        record_number,
        batch_id,
        batch_id as first_batch_id,
        batch_id as version_batch_id,
        ingested_at
    from deduplicated
)

select * from final
