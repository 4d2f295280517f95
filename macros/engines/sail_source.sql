{#- Rows of one of the data sources in scripts/sail_sources.py, for a folder. -#}
{%- macro sail_source(source, folder) -%}
    {{- return(source ~ '.`' ~ folder | replace('`', '``') ~ '`') -}}
{%- endmacro -%}
