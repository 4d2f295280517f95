{#- Whether an amount of a currency can be converted: it is the reporting currency, or its day has a rate. -#}
{%- macro is_convertible(currency) -%}
    ({{ currency }} = '{{ var("reporting_currency") }}' or exchange_rates.rate is not null)
{%- endmacro -%}
