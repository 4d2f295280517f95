with bronze as (
    select * from {{ ref('bronze_products') }}
),

typed as (
    select
        {{ plain_id("fields['product_id']") }} as product_id,
        {{ plain_text("fields['name']") }} as name,
        {{ plain_text("fields['category']") }} as category,
        {{ to_money("fields['list_price']") }} as list_price,
        {{ to_time("fields['extracted_at']") }} as extracted_at,
        md5(record) as record_hash,
        unreadable_reason,
        record,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from bronze
),

judged as (
    select
        *,
        {{ violated_rules() }} as violated_rules
    from typed
)

select * from judged
