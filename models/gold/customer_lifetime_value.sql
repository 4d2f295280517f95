with sales as (
    select * from {{ ref('int_shop_sales') }}
    where not is_guest and {{ touched('customer_id') }}
),

final as (
    select
        customer_id,
        count(distinct case when not is_cancellation then invoice_no end) as order_count,
        sum(quantity) as units,
        sum(net_revenue) as net_revenue,
        min(sales_date) as first_order_date,
        max(sales_date) as last_order_date
    from sales
    group by 1
)

select * from final
