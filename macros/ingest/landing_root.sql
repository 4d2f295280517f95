{#- Absolute and in its simplest form: Spark names files that way, and takes a relative location of a table as one below the
    warehouse. -#}
{%- macro landing_root() -%}
    {%- set root = env_var('MEDALLION_LANDING', '') or var('landing_root') -%}
    {%- if modules.re.match('[a-zA-Z][a-zA-Z0-9+.-]*:', root) -%}
        {{- return(root.rstrip('/')) -}}
    {%- endif -%}
    {%- set project = invocation_args_dict.project_dir | string -%}
    {%- set base = project if project.startswith('/') else env_var('PWD', '') ~ '/' ~ project -%}
    {%- set steps = [] -%}
    {%- for step in (root if root.startswith('/') else base ~ '/' ~ root).split('/') if step not in ['', '.'] -%}
        {%- if step == '..' and steps -%}
            {%- do steps.pop() -%}
        {%- elif step != '..' -%}
            {%- do steps.append(step) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return('/' ~ steps | join('/')) -}}
{%- endmacro -%}
