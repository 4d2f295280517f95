with rates as (
    select * from {{ ref('exchange_rates') }}
),

-- weekends and holidays use the last rate, but no rate is used longer than a week
spans as (
    select
        currency,
        gbp_per_unit,
        rate_date as first_date,
        -- least ignores NULL: the newest rate has no next one
        least(
            date_add(rate_date, 7),
            date_sub(lead(rate_date) over (partition by currency order by rate_date), 1)
        ) as last_date
    from rates
),

days as (
    select
        currency,
        gbp_per_unit,
        explode(sequence(first_date, last_date)) as rate_date
    from spans
),

all_currencies as (
    select
        currency,
        gbp_per_unit,
        rate_date
    from days
    union all
    select distinct
        'GBP' as currency,
        cast(1 as decimal(18, 8)) as gbp_per_unit,
        rate_date
    from days
),

reporting as (
    select
        rate_date,
        gbp_per_unit
    from all_currencies
    where currency = '{{ var("reporting_currency") }}'
),

final as (
    select
        all_currencies.currency,
        all_currencies.rate_date,
        cast(all_currencies.gbp_per_unit / reporting.gbp_per_unit as decimal(18, 8)) as rate
    from all_currencies
    inner join reporting on all_currencies.rate_date = reporting.rate_date
)

select * from final
