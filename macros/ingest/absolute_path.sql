{#- A path of this machine, absolute and in its simplest form, below the project's folder if it was relative: Spark names files
    that way, and takes a relative location of a table as one below the warehouse. URLs stay as they are. -#}
{%- macro absolute_path(path) -%}
    {%- if modules.re.match('[a-zA-Z][a-zA-Z0-9+.-]*:', path) -%}
        {{- return(path.rstrip('/')) -}}
    {%- endif -%}
    {%- set project = invocation_args_dict.project_dir | string -%}
    {%- set base = project if project.startswith('/') else env_var('PWD', '') ~ '/' ~ project -%}
    {%- set steps = [] -%}
    {%- for step in (path if path.startswith('/') else base ~ '/' ~ path).split('/') if step not in ['', '.'] -%}
        {%- if step == '..' and steps -%}
            {%- do steps.pop() -%}
        {%- elif step != '..' -%}
            {%- do steps.append(step) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return('/' ~ steps | join('/')) -}}
{%- endmacro -%}
