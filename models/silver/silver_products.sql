{{ config(incremental_strategy='replace_where') }}

-- an extract contains every product, so each one touches all of them
with listings as (
    select * from {{ ref('silver_product_listings') }}
    where {{ rebuild_when_changed() }}
),

latest as (
    {{ latest('listings', 'product_id', ['extracted_at']) }}
),

final as (
    select
        product_id,
        name,
        category,
        list_price,
        extracted_at
    from latest
)

select * from final
