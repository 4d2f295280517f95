with products as (
    select * from {{ ref('dim_products') }}
),

versions as (
    select * from {{ ref('product_history') }}
    where is_current
)

select
    products.product_id,
    products.is_active,
    versions.product_id as current_product_id
from products
full outer join versions on products.product_id = versions.product_id
where coalesce(products.is_active, false) <> (versions.product_id is not null)
