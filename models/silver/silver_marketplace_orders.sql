{{ config(
    unique_key='order_id',
    matched_condition="(DBT_INTERNAL_SOURCE.revision > DBT_INTERNAL_DEST.revision or ("
    ~ "DBT_INTERNAL_SOURCE.revision = DBT_INTERNAL_DEST.revision and "
    ~ "DBT_INTERNAL_SOURCE.record_hash > DBT_INTERNAL_DEST.record_hash))",
) }}

with judged as (
    select * from {{ ref('judged_marketplace_orders') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_marketplace_orders')) }}
),

deduplicated as (
    {{ deduplicate('judged', 'order_id', ['revision desc', 'record_hash desc', 'source_file', 'record_number']) }}
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
        cast(placed_at as date) as sales_date,
        record_hash,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from deduplicated
)

select * from final
