{%- macro landing_root() -%}
    {#- Absolute, because Spark would take the relative location of a table as one below the warehouse. -#}
    {%- set root = env_var('MEDALLION_LANDING', '') or var('landing_root') -%}
    {%- if '://' not in root and not root.startswith('/') -%}
        {%- set root = invocation_args_dict.project_dir ~ '/' ~ root -%}
    {%- endif -%}
    {{- return(root.rstrip('/')) -}}
{%- endmacro -%}
