{#- What this run has to do for the model: a dict with
    `table`, `existing` (the relation as dbt found it, or none), `is_rebuild` (all rows are computed again), `is_unchanged` (nothing to write),
    `window` (what replaces the placeholder of the model's window), `consumed` (positions that the table has read once it is written),
    `made_by` (fingerprint of the model), and what its kind of window adds: `files` and `batch_id`, or `since` and `newest`; for a backfill
    by event time `compares`. -#}
{%- macro plan_of(sql) -%}
    {%- set request = requested_window(sql) -%}
    {%- set existing = load_relation(this) -%}
    {%- set made_by = fingerprint_of(sql) if request.kind in ['batches', 'keys'] else none -%}
    {%- set is_rebuild = existing is none or existing.is_view or should_full_refresh() or config.get('materialized') == 'table' or (made_by and _is_outdated(made_by)) -%}
    {%- set seen = consumed_positions(this) if made_by and not is_rebuild else {} -%}
    {%- if request.kind == 'files' and is_dry_run() -%}
        {%- set plan = {'window': '', 'consumed': {}, 'is_unchanged': true} -%}
    {%- elif request.kind == 'files' -%}
        {%- set plan = plan_files(request.source) -%}
    {%- elif request.kind == 'batches' -%}
        {%- set plan = plan_batches(request.bronze, seen) -%}
        {%- if backfilled_days() and config.get('event_time') and not is_rebuild -%}{%- do plan.update(_backfill(plan)) -%}{%- endif -%}
    {%- elif request.kind == 'keys' -%}
        {%- set plan = plan_keys(request.column, seen, is_rebuild) -%}
    {%- elif config.get('incremental_strategy') == 'replace_where' -%}
        {{- exceptions.raise_compiler_error(model.name ~ ': the strategy replace_where needs touched or rebuild_when_changed in the SQL.') -}}
    {%- else -%}
        {%- set plan = {'window': '', 'consumed': {}, 'is_unchanged': false} -%}
    {%- endif -%}
    {%- do plan.update({
        'table': this.incorporate(type='table'),
        'existing': existing,
        'is_rebuild': is_rebuild,
        'is_unchanged': plan.is_unchanged and not is_rebuild,
        'made_by': made_by,
        'pruning': [],
    }) -%}
    {{- return(plan) -}}
{%- endmacro -%}

{#- A backfill computes all batches, because bronze has no event time, and `compares` the rows of its days with the table. Where there are new
    batches too, it compares all rows, so that one commit brings both. -#}
{%- macro _backfill(plan) -%}
    {{- return({
        'window': '(batch_id <= ' ~ plan.newest ~ ')',
        'compares': 'days' if plan.since >= plan.newest else 'all rows',
        'is_unchanged': false,
        'is_marked': plan.is_unchanged,
    }) -}}
{%- endmacro -%}

{#- Compares the rows of a backfill with the table; if they are the same, there is nothing to write. -#}
{%- macro compare_backfill(sql, plan) -%}
    {%- do name_inputs(model) -%}
    {%- set query = '(' ~ fill_window(sql, plan.window) ~ ') as computed' -%}
    {%- set of_days = ' where ' ~ is_backfilled(config.get('event_time')) if plan.compares == 'days' else '' -%}
    {%- set columns = columns_of(query, plan) | map(attribute='name') | reject('in', lineage_columns()) | list -%}
    {%- set found = run_query(compared(
        '(select * from ' ~ this ~ of_days ~ ')', '(select * from ' ~ query ~ of_days ~ ')', unique_key_of(this), columns
    )).rows[0] -%}
    {%- if found['missing_count'] or found['extra_count'] or found['different_count'] -%}
        {%- do plan.update({'differences': found}) -%}
        {%- do run_memory('differing').update({this.identifier: true}) -%}
        {%- do log('Backfill of ' ~ this ~ ': ' ~ dry_run_words(plan, sql) ~ '.', info=not is_dry_run()) -%}
    {%- else -%}
        {%- do plan.update({'is_unchanged': plan.is_marked}) -%}
    {%- endif -%}
{%- endmacro -%}

{#- What this run would compute again, in words without any value of a feed. -#}
{%- macro dry_run_words(plan, sql) -%}
    {%- if plan.existing is none -%}
        {{- return('all rows: there is no table yet') -}}
    {%- elif plan.differences -%}
        {{- return(
            plan.differences['missing_count'] ~ ' rows missing, ' ~ plan.differences['different_count'] ~ ' different, '
            ~ plan.differences['extra_count'] ~ ' in excess, of ' ~ plan.differences['row_count']
        ) -}}
    {%- elif plan.is_unchanged -%}
        {{- return('nothing') -}}
    {%- elif 'since' in plan and not plan.is_rebuild -%}
        {{- return('new batches') -}}
    {%- endif -%}
    {%- do name_table(this) -%}
    {%- set row_count = run_query('select count(*) from ' ~ this ~ (' where ' ~ plan.window if 'key_count' in plan else '')).rows[0][0] -%}
    {%- set what = 'values of ' ~ requested_window(sql).column ~ ': ' ~ plan.key_count if 'key_count' in plan else 'all of it' -%}
    {%- set words = [what ~ ' (' ~ row_count ~ ' rows now)'] -%}
    {%- for input in inputs_of(model) if input.name in run_memory('differing') -%}
        {%- do words.append('what changes in ' ~ input.name) -%}
    {%- endfor -%}
    {{- return(words | join(', ')) -}}
{%- endmacro -%}

{#- What a table was made from: the model's SQL with that of its ephemeral parents (and so its rules, constants and variables), its key and
    order, and the SQL of the views that it reads. Layout, comments and the engine don't count. -#}
{%- macro fingerprint_of(sql) -%}
    {%- set text = namespace(sql=on_engine('without_dialect', fill_window(sql, 'window'))) -%}
    {#- by their names alone: where the tables of a lake lie is not what they are -#}
    {%- for input in inputs_of(model) -%}
        {%- set text.sql = text.sql | replace(relation_of(input) | string, input.name) -%}
    {%- endfor -%}
    {%- set parts = [without_blanks(text.sql)] -%}
    {%- for setting in ['unique_key', 'newest_by', 'ledger', 'incremental_strategy', 'partition_by'] -%}
        {%- do parts.append(tojson(config.get(setting), sort_keys=true)) -%}
    {%- endfor -%}
    {%- do parts.extend(sql_of_views(model)) -%}
    {#- gold follows its seeds as inputs; what a rule reads of a seed decides about old records too -#}
    {%- for input in inputs_of(model) if input.resource_type == 'seed' and config.get('incremental_strategy') == 'merge'
        and (config.get('meta') or {}).get('judge_again_when_seeds_change', true) -%}
        {%- do parts.append(table_properties(relation_of(input)).get('medallion.seed_hash', '')) -%}
    {%- endfor -%}
    {{- return(local_md5(parts | join('|'))) -}}
{%- endmacro -%}

{#- Whether the table was made from another version of the model; a table without a fingerprint was made by an older version of this project.
    Bronze is never rebuilt. The meta `when_model_changes` decides: `rebuild` (the default) or `stop`. -#}
{%- macro _is_outdated(made_by) -%}
    {%- set known = table_properties(this).get('medallion.made_by', '') -%}
    {%- if known == made_by or config.get('full_refresh') is false -%}
        {{- return(false) -}}
    {%- endif -%}
    {%- set what = this ~ ' was made by ' ~ ('another version of its SQL, rules, constants or key' if known else 'an older version of this project') -%}
    {%- set policy = (config.get('meta') or {}).get('when_model_changes', 'rebuild') -%}
    {%- if policy == 'stop' -%}
        {{- exceptions.raise_compiler_error(
            what ~ '. Nothing was written. Rebuild it with: dbt build --full-refresh --select ' ~ model.name
            ~ ' (with meta when_model_changes: rebuild this happens automatically).'
        ) -}}
    {%- elif policy != 'rebuild' -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": meta when_model_changes is '" ~ policy ~ "'; use rebuild or stop.") -}}
    {%- endif -%}
    {%- do log(what ~ '; all of it is computed again.', info=true) -%}
    {{- return(true) -}}
{%- endmacro -%}
