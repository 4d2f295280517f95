with sales as (
    select * from {{ ref('int_shop_sales') }}
    where {{ touched('sales_date') }}
),

final as (
    select
        sales_date,
        product_id,
        sum(quantity) as units,
        sum(net_revenue) as net_revenue,
        count(*) as order_line_count
    from sales
    group by 1, 2
)

select * from final
