with orders as (
    select * from {{ ref('silver_marketplace_orders') }}
),

exchange_rates as (
    select * from {{ ref('silver_exchange_rates') }}
),

order_lines as (
    select
        order_id,
        currency,
        sales_date,
        explode(lines) as line
    from orders
),

final as (
    select
        order_lines.order_id,
        order_lines.sales_date,
        order_lines.line.product_id,
        order_lines.line.quantity,
        {{ in_reporting_currency(
            'order_lines.line.quantity * order_lines.line.unit_price', 'order_lines.currency'
        ) }} as net_revenue
    from order_lines
    left join exchange_rates
        on
            order_lines.sales_date = exchange_rates.rate_date
            and order_lines.currency = exchange_rates.currency
    -- the others are in unconverted_sales
    where {{ is_convertible('order_lines.currency') }}
)

select * from final
