with order_lines as (
    select * from {{ ref('silver_order_lines') }}
),

exchange_rates as (
    select * from {{ ref('silver_exchange_rates') }}
),

final as (
    select
        order_lines.*,
        {{ in_reporting_currency('order_lines.net_amount', "'GBP'") }} as net_revenue
    from order_lines
    left join exchange_rates
        on order_lines.sales_date = exchange_rates.rate_date and exchange_rates.currency = 'GBP'
    -- the others are in unconverted_sales
    where {{ is_convertible("'GBP'") }}
)

select * from final
