{#- For on-run-start: stops a command that would write wrong rows, before anything is written. -#}
{%- macro assert_ready() -%}
    {%- if execute -%}
        {%- do assert_adapter() -%}
        {%- do _assert_whole_inputs() -%}
        {%- do _assert_backfill() -%}
        {%- do _assert_utc_session() -%}
        {%- if not lake_is_local() -%}{%- do on_engine('assert_server') -%}{%- endif -%}
        {%- if is_building() -%}{%- do on_engine('assert_names_are_read') -%}{%- endif -%}
        {%- if is_building() and not lake_is_local() and not var('catalog_has_grants') -%}
            {%- do exceptions.warn('Grants are not applied: set the var catalog_has_grants to true if the catalog of this target knows GRANT.') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- Refuses flags that make dbt's refs smaller than the tables, or point them at the tables of another lake. A table written that way would
    record that it has read rows it never saw, and no later build would notice that they are missing. -#}
{%- macro _assert_whole_inputs() -%}
    {%- set arguments = invocation_args_dict -%}
    {%- for name, instead in {
        'empty': 'To check SQL without rows use dbt compile or dbt show --limit 5.',
        'sample': 'For a small lake put fewer files into a separate landing folder (MEDALLION_LANDING, MEDALLION_HOME).',
        'defer': 'Build the parents too (--select +model), or copy the lake.',
        'favor_state': 'Build the parents too (--select +model), or copy the lake.',
    }.items() if arguments.get(name) -%}
        {{- exceptions.raise_compiler_error(
            'dbt ' ~ flags.WHICH ~ ' --' ~ name | replace('_', '-') ~ ' is refused, and nothing was written: it reads other or fewer rows '
            ~ 'than the tables hold, and incremental tables would miss the rest for good. ' ~ instead
        ) -}}
    {%- endfor -%}
{%- endmacro -%}

{#- A backfill is one of whole days; and its plan, which writes nothing, must not be asked of a run that would write all the same. -#}
{%- macro _assert_backfill() -%}
    {%- for name in ['event_time_start', 'event_time_end'] if (invocation_args_dict.get(name) | default('', true) | string)[11:] not in ['', '00:00:00'] -%}
        {{- exceptions.raise_compiler_error(
            '--' ~ name | replace('_', '-') ~ ' ' ~ invocation_args_dict[name] ~ ' is refused, and nothing was written: a backfill is one of whole days (UTC).'
        ) -}}
    {%- endfor -%}
    {%- if is_dry_run() and not (flags.WHICH == 'run' and backfilled_days()) -%}
        {{- exceptions.raise_compiler_error(
            'MEDALLION_BACKFILL_PLAN is set, which is for dbt run with --event-time-start and --event-time-end only. Nothing was written. Unset it to build.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{#- Every date of every model depends on the session's time zone. -#}
{%- macro _assert_utc_session() -%}
    {%- set zone = run_query('select current_timezone() as zone').rows[0][0] -%}
    {%- if zone not in ['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'Z', '+00:00'] -%}
        {{- exceptions.raise_compiler_error(
            "The session's time zone is " ~ zone ~ ", but dates and times in this project are UTC."
            ~ " Set spark.sql.session.timeZone to UTC in profiles.yml (server_side_parameters) or on the server."
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{#- For on-run-end: writes checkpoints for tables with many commits since their last one, on an engine that does not do so by itself. Tables
    that some model has not read up to now are left out: Sail cannot read a version before the last checkpoint, so that model would have to
    be computed as a whole. -#}
{%- macro keep_logs_short() -%}
    {%- if is_building() -%}
        {%- set due = [] -%}
        {%- for name, state in run_memory('tables').items() | list
            if state is mapping and state.get('commits_since_checkpoint', 0) >= 10 or name in run_memory('long_logs') -%}
            {%- set relation = api.Relation.create(schema=name.split('.')[0], identifier=name.split('.')[1], type='table') -%}
            {%- if _is_read_by_all(relation) -%}{%- do due.append(relation) -%}{%- endif -%}
        {%- endfor -%}
        {%- if due -%}{%- do on_engine('write_checkpoints', due) -%}{%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro _is_read_by_all(relation) -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.incremental_strategy == 'replace_where' and load_relation(relation_of(node)) -%}
        {%- set seen = consumed_positions(relation_of(node)).get(relation.identifier) -%}
        {%- if seen and seen != position_of(relation) -%}
            {{- return(false) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return(true) -}}
{%- endmacro -%}
