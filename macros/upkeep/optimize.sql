{#- Post-hook: compacts the table that was just written, if that pays; renders to nothing if not, and dbt skips an empty hook.
    Off: `optimize: off` or `skip_optimize: true` in a model's or folder's meta; the var skip_optimize or the environment
    variable MEDALLION_SKIP_OPTIMIZE for a run.
    Where the engine has no OPTIMIZE, `medallion optimize` does it.
    Whether it pays is asked in one of eight commits only (_may_be_due); a model that had nothing new to write runs no hooks at all. -#}
{%- macro optimize(relation=none) -%}
    {%- set off_for_run = var('skip_optimize', false) or env_var('MEDALLION_SKIP_OPTIMIZE', '') -%}
    {%- if execute
        and on_engine('can_optimize')
        and off_for_run | string | lower not in ['true', '1', 'yes', 'on']
        and model.config.materialized not in ['view', 'ephemeral'] -%}
        {%- set table = relation or this -%}
        {%- set policy = optimize_policy(model.config) -%}
        {%- if policy.mode != 'off' and not policy.skip and (policy.mode == 'always' or _may_be_due(table)) -%}
            {%- set detail = describe_table(table) -%}
            {%- if _optimize_pays(table, detail, policy, policy.mode) -%}
                {%- do log('optimize ' ~ table ~ ' (' ~ detail.num_files ~ ' files)', info=true) -%}
                {{ optimize_sql(table, policy.zorder) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- A write adds few files, so a table cannot become due between two looks that are eight commits apart. A write is one or two commits; of a
    table whose version this run does not know, it looks. -#}
{%- macro _may_be_due(table) -%}
    {%- set before = run_memory('versions').get(table.schema ~ '.' ~ table.identifier, 7) -%}
    {{- return(before // 8 != (before + 2) // 8) -}}
{%- endmacro -%}

{#- Asks for partitions and history only where the answer depends on them. -#}
{%- macro _optimize_pays(relation, detail, policy, mode) -%}
    {%- if not detail.is_delta or detail.num_files < 2 -%}
        {{- return(false) -}}
    {%- elif mode == 'always' -%}
        {{- return(written_since_optimize(commits_of(relation, 10) | map(attribute='operation') | list)) -}}
    {%- endif -%}
    {%- set due = optimize_is_due(detail.num_files, detail.size_in_bytes, 1, policy.min_files, policy.small_file_mb) -%}
    {%- if due and detail.partition_columns -%}
        {%- set partitions = on_engine('partitions', relation, detail.partition_columns) -%}
        {%- set due = optimize_is_due(detail.num_files, detail.size_in_bytes, partitions, policy.min_files, policy.small_file_mb) -%}
    {%- endif -%}
    {{- return(due) -}}
{%- endmacro -%}
