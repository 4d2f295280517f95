with products as (
    select * from {{ ref('silver_products') }}
    where {{ rebuild_when_changed() }}
),

-- a product whose listing is in quarantine is still sold
seen as (
    select
        product_id,
        max(extract_at) = max(max(extract_at)) over () as is_active
    from {{ ref('int_product_sightings') }}
    group by 1
),

final as (
    select
        products.product_id,
        products.name,
        products.category,
        products.list_price,
        products.extracted_at,
        coalesce(seen.is_active, false) as is_active
    from products
    left join seen on products.product_id = seen.product_id
)

select * from final
