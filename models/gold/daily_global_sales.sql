{%- set window = touched('sales_date') -%}

with shop_sales as (
    select * from {{ ref('int_shop_sales') }}
    where {{ window }}
),

marketplace_sales as (
    select * from {{ ref('int_marketplace_sales') }}
    where {{ window }}
),

all_sales as (
    select
        sales_date,
        quantity,
        net_revenue as shop_revenue,
        cast(0 as decimal(28, 4)) as marketplace_revenue,
        case when not is_cancellation then concat('shop ', invoice_no) end as order_key
    from shop_sales
    union all
    select
        sales_date,
        quantity,
        cast(0 as decimal(28, 4)) as shop_revenue,
        net_revenue as marketplace_revenue,
        concat('marketplace ', order_id) as order_key
    from marketplace_sales
),

final as (
    select
        sales_date,
        sum(shop_revenue) as shop_revenue,
        sum(marketplace_revenue) as marketplace_revenue,
        cast(sum(shop_revenue + marketplace_revenue) as decimal(38, 4)) as net_revenue,
        sum(quantity) as units,
        count(distinct order_key) as order_count
    from all_sales
    group by 1
)

select * from final
