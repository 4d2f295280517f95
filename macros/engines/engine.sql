{#- The engine behind the target: 'sail' where its host in profiles.yml says so, else 'spark'. Macros whose SQL differs between
    the two ask here; models never do. -#}
{%- macro engine() -%}
    {{- return('sail' if target.host == 'sail' else 'spark') -}}
{%- endmacro -%}
