{#-
    What upstream does: multiplies the interval without parentheses, so that `n - 1` hours become `n - 3600` seconds, and
    divides milliseconds by a million (dbt-labs/dbt-adapters#1554; dbt_utils.date_spine('hour') is wrong by it).
    Here: Spark's own timestampadd. The result is a timestamp, as upstream's is.
    Can go when: `dbt.dateadd('hour', '3 - 1', ..)` adds two hours.
-#}
{%- macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set units = ['microsecond', 'millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] -%}
    {%- if datepart | lower not in units -%}
        {{- exceptions.raise_compiler_error("dateadd: unknown date part '" ~ datepart ~ "'. Use one of " ~ units | join(', ') ~ ".") -}}
    {%- endif -%}
    timestampadd({{ datepart | lower }}, cast({{ interval }} as bigint), cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro -%}
