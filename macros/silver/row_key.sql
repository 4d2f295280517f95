{#- Surrogate key over columns of any type. Each value stands with its length, so no two lists of values share a text, and NULL
    is none of them. -#}
{%- macro row_key(columns) -%}
    md5(concat(
        {%- for column in columns -%}
        {%- set text = 'cast(' ~ column ~ ' as string)' %}
        coalesce(concat(length({{ text }}), ':', {{ text }}), '-'){{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro -%}
