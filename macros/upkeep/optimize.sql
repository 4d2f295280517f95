{#- Post-hook: compacts the table that was just written, if that pays; otherwise renders to nothing, and dbt skips an empty hook.
    Switched off by `optimize: off` or `skip_optimize: true` in a model's or folder's meta; the var skip_optimize or the environment
    variable MEDALLION_SKIP_OPTIMIZE for a run.
    If the engine has no OPTIMIZE, `medallion optimize` does it.
    Only one commit in eight checks whether it pays (_may_be_due); a model with nothing new runs no hooks at all. -#}
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

{#- A write adds few files, so checks eight commits apart are enough. A write is one or two commits; if this run doesn't know the table's
    version, it checks. -#}
{%- macro _may_be_due(table) -%}
    {%- set before = run_memory('versions').get(table.schema ~ '.' ~ table.identifier, 7) -%}
    {{- return(before // 8 != (before + 2) // 8) -}}
{%- endmacro -%}

{#- Asks for partitions and history only if the answer depends on them. -#}
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

{#- A model's settings for OPTIMIZE. Each is looked up in the model's config (names as in dbt-databricks), then in its `meta` (where no
    adapter complains about custom keys), then in the vars. -#}
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
        {#- skip_optimize as a var switches off the hooks of a run, and does not count as a model's setting. -#}
        {%- set fallback = default if name in ['skip_optimize', 'zorder'] else var(name, default) -%}
        {%- do setting.update({name: config[name] if config.get(name) is not none else meta.get(name, fallback)}) -%}
    {%- endfor -%}

    {#- YAML reads a bare `off` as false. -#}
    {%- set mode = 'off' if setting.optimize is false else setting.optimize -%}
    {%- if mode not in ['off', 'when_needed', 'always'] -%}
        {{- exceptions.raise_compiler_error("optimize: '" ~ mode ~ "' is not valid; use off, when_needed or always.") -}}
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

{#- Whether compaction pays: many files, and small ones. Each partition needs a file of its own, so those don't count. After OPTIMIZE it is
    false again, so ZORDER, which rewrites on every run, is safe here. -#}
{%- macro optimize_is_due(num_files, size_in_bytes, num_partitions=1, min_files=32, small_file_mb=32) -%}
    {%- set too_many = num_files - num_partitions + 1 >= min_files -%}
    {{- return(too_many and size_in_bytes < num_files * small_file_mb * 1024 * 1024) -}}
{%- endmacro -%}

{#- Whether the newest commit that moved data is anything but an OPTIMIZE; `operations` are newest first. -#}
{%- macro written_since_optimize(operations) -%}
    {%- set moved = operations | reject('in', commits_without_data()) | list -%}
    {{- return(not moved or moved[0] != 'OPTIMIZE') -}}
{%- endmacro -%}

{%- macro optimize_sql(relation, zorder=none) -%}
    {%- set columns = [zorder] if zorder is string else (zorder or []) -%}
    optimize {{ relation }}
    {%- if columns %} zorder by (`{{ columns | join('`, `') }}`){% endif -%}
{%- endmacro -%}

{#- Run-operation: compacts the tables of the lake that need it. For a schedule of its own, outside the builds:
    dbt run-operation optimize_tables --args '{layer: gold}' --target-path target/upkeep -#}
{%- macro optimize_tables(layer=none, table=none, force=false) -%}
    {%- do _assert_upkeep_possible('optimize') -%}
    {%- set tables = project_tables(layer, table) -%}
    {%- set optimized = [] -%}
    {%- for entry in tables -%}
        {%- set name = entry.layer ~ '.' ~ entry.name -%}
        {%- set policy = optimize_policy(entry.config) -%}
        {%- if policy.skip -%}
            {%- do print(name ~ ': left alone, its config says skip_optimize') -%}
        {%- else -%}
            {%- set detail = describe_table(entry.relation) -%}
            {%- set size = '%.1f MB' | format(detail.size_in_bytes / 1024 / 1024) -%}
            {%- set pays = _optimize_pays(entry.relation, detail, policy, 'always' if force else 'when_needed') -%}
            {%- if pays -%}
                {%- do run_query(optimize_sql(entry.relation, policy.zorder)) -%}
                {%- do optimized.append(name) -%}
                {%- do print(
                    name ~ ': optimized' ~ (', zorder by ' ~ policy.zorder | join(', ') if policy.zorder else '')
                    ~ ', files: ' ~ detail.num_files ~ ' before, ' ~ describe_table(entry.relation).num_files ~ ' now (' ~ size ~ ')'
                ) -%}
            {%- else -%}
                {%- do print(name ~ ': nothing to do (files: ' ~ detail.num_files ~ ', ' ~ size ~ ')') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if tables | length != 1 -%}
        {%- do print(optimized | length ~ ' of ' ~ tables | length ~ ' tables optimized') -%}
    {%- endif -%}
{%- endmacro -%}

{#- A SELECT of what OPTIMIZE has to do, for the command `medallion`: it runs optimize_tables if the engine has SQL for it, and delta-rs on
    Sail, which has none. -#}
{%- macro optimize_jobs(layer=none, table=none, force=false) -%}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set policy = optimize_policy(entry.config) -%}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set is_due = not policy.skip and _optimize_pays(entry.relation, detail, policy, 'always' if force else 'when_needed') %}
        select
            '{{ entry.layer }}.{{ entry.name }}' as table_name,
            {{ sql_literal(_upkeep_location(entry.relation)) }} as location,
            {{ policy.skip | string | lower }} as is_skipped,
            {{ is_due | string | lower }} as is_due,
            {{ sql_literal(policy.zorder | join(',')) }} as zorder,
            {{ detail.num_files }} as num_files,
            cast({{ detail.size_in_bytes }} as bigint) as size_in_bytes
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, '' as location, false as is_skipped, false as is_due, '' as zorder, 0 as num_files, 0 as size_in_bytes
        where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _upkeep_location(relation) -%}
    {{- return('' if on_engine('can_optimize') else lake_location(relation.schema, relation.identifier)) -}}
{%- endmacro -%}

{#- Bare dbt can only run SQL. -#}
{%- macro _assert_upkeep_possible(command) -%}
    {%- if not on_engine('can_optimize') -%}
        {{- exceptions.raise_compiler_error(
            'Sail has no SQL for this. Run medallion ' ~ command ~ ' --target sail: it applies the same rules and works through delta-rs.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
