{{ config(
    unique_key='product_id',
    matched_condition="(DBT_INTERNAL_SOURCE.extracted_at > DBT_INTERNAL_DEST.extracted_at or ("
    ~ "DBT_INTERNAL_SOURCE.extracted_at = DBT_INTERNAL_DEST.extracted_at and "
    ~ "DBT_INTERNAL_SOURCE.record_hash > DBT_INTERNAL_DEST.record_hash))",
) }}

with judged as (
    select * from {{ ref('judged_products') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_products')) }}
),

deduplicated as (
    {{ deduplicate('judged', 'product_id', ['extracted_at desc', 'record_hash desc', 'source_file', 'record_number']) }}
),

final as (
    select
        product_id,
        name,
        category,
        list_price,
        extracted_at,
        record_hash,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from deduplicated
)

select * from final
