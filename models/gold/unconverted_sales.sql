{%- set window = touched('sales_date') -%}

with exchange_rates as (
    select * from {{ ref('silver_exchange_rates') }}
),

shop_lines as (
    select
        'orders' as source,
        sales_date,
        'GBP' as currency,
        quantity,
        net_amount as amount
    from {{ ref('silver_order_lines') }}
    where {{ window }}
),

marketplace_orders as (
    select
        sales_date,
        currency,
        explode(lines) as line
    from {{ ref('silver_marketplace_orders') }}
    where {{ window }}
),

all_lines as (
    select * from shop_lines
    union all
    select
        'marketplace_orders' as source,
        sales_date,
        currency,
        line.quantity as quantity,
        cast(line.quantity * line.unit_price as decimal(28, 4)) as amount
    from marketplace_orders
),

final as (
    select
        all_lines.sales_date,
        all_lines.source,
        all_lines.currency,
        '{{ var("reporting_currency") }}' as reporting_currency,
        'no_exchange_rate' as reason,
        count(*) as line_count,
        sum(all_lines.quantity) as units,
        sum(all_lines.amount) as amount
    from all_lines
    left join exchange_rates
        on all_lines.sales_date = exchange_rates.rate_date and all_lines.currency = exchange_rates.currency
    where not {{ is_convertible('all_lines.currency') }}
    group by 1, 2, 3
)

select * from final
