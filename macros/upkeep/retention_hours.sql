{#- Hours of a Delta retention property such as `interval 7 days`; Delta's default when unset, none when it cannot be read. -#}
{%- macro retention_hours(retention=none) -%}
    {%- set hours_of = {'hour': 1, 'day': 24, 'week': 168} -%}
    {%- set words = (retention or 'interval 1 week') | lower | replace("'", '') | replace('interval', '') -%}
    {%- set words = words.split() -%}
    {%- set unit = words[1].rstrip('s') if words | length == 2 else none -%}
    {%- if unit in hours_of and modules.re.fullmatch('[0-9]+', words[0]) -%}
        {{- return(words[0] | int * hours_of[unit]) -}}
    {%- endif -%}
    {{- return(none) -}}
{%- endmacro -%}
