select
    products.product_id,
    products.is_active,
    versions.product_id is not null as is_current
from {{ ref('dim_products') }} as products
full outer join (select * from {{ ref('product_history') }} where is_current) as versions
    on products.product_id = versions.product_id
where products.is_active is distinct from (versions.product_id is not null)
