{#- A whole number, else NULL: 6, -6 and, of a float export, 6.0. Not 1,000, where the comma may be a decimal point, nor 1e3. -#}
{%- macro to_whole(value, type='int') -%}
    {%- set text = trimmed(value) -%}
    case
        when {{ value }} rlike '^-?[0-9]+$' then try_cast({{ value }} as {{ type }})
        when {{ text }} rlike '^[-+]?[0-9]+[.]?0*$' then try_cast(regexp_replace({{ text }}, '[.]0*$', '') as {{ type }})
    end
{%- endmacro -%}
