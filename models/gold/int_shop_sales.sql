with order_lines as (
    select * from {{ ref('silver_order_lines') }}
),

exchange_rates as (
    select * from {{ ref('silver_exchange_rates') }}
),

final as (
    select
        order_lines.*,
        cast(round(
            order_lines.net_amount
            * case when '{{ var("reporting_currency") }}' = 'GBP' then 1 else exchange_rates.rate end,
            4
        ) as decimal(28, 4)) as net_revenue
    from order_lines
    left join exchange_rates
        on order_lines.sales_date = exchange_rates.rate_date and exchange_rates.currency = 'GBP'
)

select * from final
