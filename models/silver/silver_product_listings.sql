{{ config(
    unique_key=['product_id', 'extracted_at'],
    event_time='extracted_at',
    newest_by=['record_hash'],
    ledger={'source': 'products'},
) }}

-- depends_on: {{ ref('quarantine_products') }}
with judged as (
    select * from {{ ref('judged_products') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_products')) }}
),

deduplicated as (
    {{ latest('judged') }}
),

final as (
    select
        product_id,
        extracted_at,
        name,
        category,
        list_price,
        record_hash,
        source_file,
        record_number,
        batch_id,
        batch_id as first_batch_id,
        ingested_at
    from deduplicated
)

select * from final
