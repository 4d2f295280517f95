{#- A plain decimal number of at most four decimals, zeros behind them aside, else NULL: a cast alone would round what it cannot hold. -#}
{%- macro to_money(value) -%}
    {%- set text = trimmed(value) -%}
    case when {{ text }} rlike '^-?[0-9]+([.][0-9]{1,4}0*)?$' then try_cast({{ text }} as decimal(18, 4)) end
{%- endmacro -%}
