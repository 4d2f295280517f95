with products as (
    select * from {{ ref('silver_products') }}
    where {{ rebuild_when_changed() }}
),

final as (
    select
        product_id,
        name,
        category,
        list_price,
        extracted_at,
        extracted_at = max(extracted_at) over () as is_active
    from products
)

select * from final
