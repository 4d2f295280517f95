{#- A SELECT of all releases, newest first: which is in force, and which can be rolled back to. -#}
{%- macro release_list() -%}
    {%- if not execute or load_relation(releases()) is none -%}
        select 0 as release_id, '' as published_utc, '' as code_version, 0 as rolled_back_to, '' as state where false
    {%- else -%}
        select
            release_id,
            date_format(published_at, 'yyyy-MM-dd HH:mm:ss') as published_utc,
            code_version,
            rolled_back_to,
            case
                when row_number() over (order by release_id desc) = 1 then 'in force'
                when row_number() over (order by release_id desc) <= {{ var('keep_releases') }} then 'kept'
                else 'not kept'
            end as state
        from {{ by_place(releases()) }}
    {%- endif -%}
{%- endmacro -%}

{#- Run-operation: makes an earlier release the one in force, as a release of its own: the one before, or release `to`. Moves the pins only;
    `physical` also restores the gold tables, with the marks of what they have read, so that the next build goes on from there. -#}
{%- macro rollback_release(to=none, physical=false) -%}
    {%- if physical -%}{%- do _assert_upkeep_possible('rollback --physical') -%}{%- endif -%}
    {%- set target = _rollback_target(to) -%}
    {%- do record_release(target.versions, target.rolled_back_to or target.release_id) -%}
    {%- for job in (_tables_to_restore(target) if physical else []) -%}
        {%- do run_query('restore table ' ~ job.relation ~ ' to version as of ' ~ job.version) -%}
    {%- endfor -%}
{%- endmacro -%}

{#- A SELECT of the gold tables that differ from a release, for the command `medallion`: on Sail it restores them through delta-rs. -#}
{%- macro restore_jobs(to=none) -%}
    {%- for job in (_tables_to_restore(_rollback_target(to)) if execute else []) %}
        select
            'gold.{{ job.relation.identifier }}' as table_name,
            {{ sql_literal(_upkeep_location(job.relation)) }} as location,
            {{ job.version }} as version
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, '' as location, 0 as version where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _tables_to_restore(release) -%}
    {%- set jobs = [] -%}
    {%- for entry in project_tables('gold')
        if release.versions.get(entry.name, table_state(entry.relation).version) != table_state(entry.relation).version -%}
        {%- do jobs.append({'relation': entry.relation, 'version': release.versions[entry.name]}) -%}
    {%- endfor -%}
    {{- return(jobs) -}}
{%- endmacro -%}

{%- macro _rollback_target(to) -%}
    {%- set last = last_release() -%}
    {%- for release in kept_releases()
        if to is none and not release.rolled_back_to and release.release_id < (last.rolled_back_to or last.release_id) -%}
        {{- return(release) -}}
    {%- endfor -%}
    {{- return(_release(to)) -}}
{%- endmacro -%}

{%- macro _release(release_id) -%}
    {%- for release in kept_releases() if release.release_id == release_id -%}
        {{- return(release) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(
        ('No release ' ~ release_id ~ ' is kept' if release_id is not none else 'No earlier release is kept') ~ '; kept: '
        ~ (kept_releases() | map(attribute='release_id') | sort | join(', ') or 'none') ~ '. Nothing was changed. medallion releases lists them.'
    ) -}}
{%- endmacro -%}

{#- A SELECT of how the rows of each table differ between two kept releases. Rows are compared by the key, which is the columns that the
    contract declares not_null; without any, a changed row counts as removed and added. -#}
{%- macro release_diff(before, after) -%}
    {%- set before = _release(before) if execute else {'versions': {}} -%}
    {%- set after = _release(after) if execute else {'versions': {}} -%}
    {%- for name in dict(before.versions, **after.versions) | sort %}
        select
            '{{ name }}' as table_name,
            {%- if before.versions.get(name) == after.versions.get(name) %}
            0 as added, 0 as removed, 0 as changed
            {%- else %}
            count_if(before is null) as added,
            count_if(after is null) as removed,
            count_if(before <> after) as changed
        from (
            select
                row_key,
                max(case when not is_after then row_text end) as before,
                max(case when is_after then row_text end) as after
            from (
                {%- for release in [before, after] if name in release.versions %}
                select
                    {{ (release.release_id == after.release_id) | string | lower }} as is_after,
                    to_json(struct({{ _key_columns(name) | join(', ') or '*' }})) as row_key,
                    to_json(struct(*)) as row_text
                from {{ published_table(name, release) }}
                {{ 'union all' if not loop.last }}
                {%- endfor %}
            ) as rows_of_both
            group by row_key
        ) as compared
            {%- endif %}
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, 0 as added, 0 as removed, 0 as changed where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _key_columns(name) -%}
    {%- set key = [] -%}
    {%- for node in graph.nodes.values() if node.alias == name and node.resource_type == 'model' -%}
        {%- for column in node.columns.values() if 'not_null' in column.constraints | map(attribute='type') -%}
            {%- do key.append(column.name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(key) -}}
{%- endmacro -%}
