{#- An amount times the day's rate, rounded half up to 4 decimals. A missing rate stops the build: a sum would pass over it.
    The cast keeps the product exact: (19, 4) times (18, 8) fits a decimal, wider amounts would be rounded twice. -#}
{%- macro in_reporting_currency(amount, currency, day) -%}
    cast(round(
        cast({{ amount }} as decimal(19, 4)) * cast(
            case
                when {{ currency }} = '{{ var("reporting_currency") }}' then 1
                else coalesce(
                    exchange_rates.rate,
                    cast(raise_error(concat(
                        'No exchange rate from ', {{ currency }}, ' to {{ var("reporting_currency") }} on ', {{ day }},
                        ': add it to seeds/exchange_rates.csv.'
                    )) as decimal(18, 8))
                )
            end as decimal(18, 8)
        ),
        4
    ) as decimal(28, 4))
{%- endmacro -%}
