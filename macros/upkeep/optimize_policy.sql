{#- What a model wants of OPTIMIZE. Each setting is looked for in the model's config (the names of dbt-databricks), then in
    its `meta` (no adapter complains of custom keys there), then in the vars. -#}
{%- macro optimize_policy(config) -%}
    {%- set meta = config.get('meta') or {} -%}
    {%- set setting = {} -%}
    {%- for name, default in [
        ('optimize', 'when_needed'),
        ('skip_optimize', false),
        ('zorder', none),
        ('optimize_min_files', 32),
        ('optimize_small_file_mb', 32),
    ] -%}
        {#- skip_optimize as a var switches off the hooks of a run, not what a model says of itself. -#}
        {%- set fallback = default if name in ['skip_optimize', 'zorder'] else var(name, default) -%}
        {%- do setting.update({name: config[name] if config.get(name) is not none else meta.get(name, fallback)}) -%}
    {%- endfor -%}

    {#- YAML reads a bare `off` as false. -#}
    {%- set mode = 'off' if setting.optimize is false else setting.optimize -%}
    {%- if mode not in ['off', 'when_needed', 'always'] -%}
        {{- exceptions.raise_compiler_error("optimize: '" ~ mode ~ "' is not known; use off, when_needed or always.") -}}
    {%- endif -%}
    {%- set zorder = [setting.zorder] if setting.zorder is string else (setting.zorder or []) -%}
    {%- if zorder and (config.get('liquid_clustered_by') or config.get('auto_liquid_cluster')) -%}
        {{- exceptions.raise_compiler_error('zorder and liquid clustering exclude each other; a clustered table needs no zorder.') -}}
    {%- endif -%}
    {{- return({
        'mode': mode,
        'skip': setting.skip_optimize | string | lower == 'true',
        'zorder': zorder,
        'min_files': setting.optimize_min_files | int,
        'small_file_mb': setting.optimize_small_file_mb | int,
    }) -}}
{%- endmacro -%}
