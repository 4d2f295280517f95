{#- Whether this command builds models. Where SQL is only rendered (compile, docs, show) nothing is asked of the lake, which may
    not stand yet, and nothing in it changes. -#}
{%- macro is_building() -%}
    {{- return(execute and flags.WHICH in ['run', 'build', 'retry']) -}}
{%- endmacro -%}
