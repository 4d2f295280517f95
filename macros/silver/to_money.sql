{#- A plain decimal number of at most four decimals, else NULL: a cast alone would round what it cannot hold. -#}
{%- macro to_money(value) -%}
    case when trim({{ value }}) rlike '^-?[0-9]+([.][0-9]{1,4})?$' then try_cast(trim({{ value }}) as decimal(18, 4)) end
{%- endmacro -%}
