{% test accepted_range(model, column_name, min_value=none, max_value=none, inclusive=true) %}
    {#- A NULL is in every range: `not (null >= 0)` is NULL and so no failure. Pair the test with not_null. -#}
    {%- set or_equal = '=' if inclusive else '' -%}
    {%- set ranges = [] -%}
    {%- if min_value is not none -%}
        {%- do ranges.append(column_name ~ ' >' ~ or_equal ~ ' ' ~ min_value) -%}
    {%- endif -%}
    {%- if max_value is not none -%}
        {%- do ranges.append(column_name ~ ' <' ~ or_equal ~ ' ' ~ max_value) -%}
    {%- endif -%}
    select *
    from {{ model }}
    where not ({{ ranges | join(' and ') if ranges else 'true' }})
{% endtest %}
