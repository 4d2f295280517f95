{#- Post-hook: compacts the table that was just written, if that pays; renders to nothing if not, and dbt skips an empty hook.
    Off: `optimize: off` or `skip_optimize: true` in a model's or folder's meta; the var skip_optimize or the environment
    variable MEDALLION_SKIP_OPTIMIZE for a run.
    Sail cannot: `medallion optimize --target sail` does it there.
    The cost when nothing is due is one DESCRIBE DETAIL; a model that had nothing new to write runs no hooks at all. -#}
{%- macro optimize(relation=none) -%}
    {%- set off_for_run = var('skip_optimize', false) or env_var('MEDALLION_SKIP_OPTIMIZE', '') -%}
    {%- if execute
        and engine() == 'spark'
        and off_for_run | string | lower not in ['true', '1', 'yes', 'on']
        and model.config.materialized not in ['view', 'ephemeral'] -%}
        {%- set table = relation or this -%}
        {%- set policy = optimize_policy(model.config) -%}
        {%- if policy.mode != 'off' and not policy.skip -%}
            {%- set detail = describe_table(table) -%}
            {%- if _optimize_pays(table, detail, policy, policy.mode) -%}
                {%- do log('optimize ' ~ table ~ ' (' ~ detail.num_files ~ ' files)', info=true) -%}
                {{ optimize_sql(table, policy.zorder) }}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- Asks for partitions and history only where the answer depends on them. -#}
{%- macro _optimize_pays(relation, detail, policy, mode) -%}
    {%- if not detail.is_delta or detail.num_files < 2 -%}
        {{- return(false) -}}
    {%- elif mode == 'always' -%}
        {{- return(written_since_optimize(table_commits(relation, 10) | map(attribute='operation') | list)) -}}
    {%- endif -%}
    {%- set due = optimize_is_due(detail.num_files, detail.size_in_bytes, 1, policy.min_files, policy.small_file_mb) -%}
    {%- if due and detail.partition_columns -%}
        {%- set partitions = run_query(_partitions_sql(relation, detail.partition_columns)).rows | length -%}
        {%- set due = optimize_is_due(detail.num_files, detail.size_in_bytes, partitions, policy.min_files, policy.small_file_mb) -%}
    {%- endif -%}
    {{- return(due) -}}
{%- endmacro -%}

{%- macro _partitions_sql(relation, columns) -%}
    {%- if engine() == 'sail' -%}
        select distinct {% for column in columns %}`{{ column }}`{{ ', ' if not loop.last }}{% endfor %} from {{ relation }}
    {%- else -%}
        show partitions {{ relation }}
    {%- endif -%}
{%- endmacro -%}
