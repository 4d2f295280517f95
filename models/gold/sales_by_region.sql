with sales as (
    select * from {{ ref('int_shop_sales') }}
    where {{ touched('sales_month') }}
),

countries as (
    select * from {{ ref('countries') }}
),

final as (
    select
        sales.sales_month,
        coalesce(countries.region, 'Unknown') as region,
        coalesce(sales.country, 'Unknown') as country,
        sum(sales.quantity) as units,
        sum(sales.net_revenue) as net_revenue,
        count(*) as order_line_count,
        count_if(sales.is_guest) as guest_line_count
    from sales
    left join countries on sales.country = countries.country
    group by 1, 2, 3
)

select * from final
