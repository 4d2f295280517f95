{%- macro landing_root() -%}
    {{- return(absolute_path(env_var('MEDALLION_LANDING', '') or var('landing_root'))) -}}
{%- endmacro -%}
