{#- A setting in the meta of the judged model at hand; what holds for all sources is the variable of that name. -#}
{%- macro judged_meta(name) -%}
    {{- return(model.config.meta.get(name) or var(name)) -}}
{%- endmacro -%}
