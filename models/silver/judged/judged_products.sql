with bronze as (
    select * from {{ ref('bronze_products') }}
),

typed as (
    select
        {{ non_blank("fields['product_id']") }} as product_id,
        {{ non_blank("fields['name']") }} as name,
        {{ non_blank("fields['category']") }} as category,
        {{ to_money("fields['list_price']") }} as list_price,
        try_to_timestamp(fields['extracted_at'], 'yyyy-MM-dd HH:mm:ss') as extracted_at,
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
