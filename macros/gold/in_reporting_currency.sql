{#- An amount times the day's rate, rounded half up to 4 decimals; NULL without a rate. Callers leave such lines out, and
    unconverted_sales lists them. The cast keeps the product exact: (19, 4) times (18, 8) fits a decimal, wider amounts would be rounded twice. -#}
{%- macro in_reporting_currency(amount, currency) -%}
    cast(round(
        cast({{ amount }} as decimal(19, 4)) * cast(
            case when {{ currency }} = '{{ var("reporting_currency") }}' then 1 else exchange_rates.rate end as decimal(18, 8)
        ),
        4
    ) as decimal(28, 4))
{%- endmacro -%}
