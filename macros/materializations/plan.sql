{#- What this run has to do for the model: a dict with
    `table`, `existing` (the relation as dbt found it, or none), `is_rebuild` (all rows are computed again), `is_unchanged` (nothing to write),
    `window` (what replaces the placeholder of the model's window), `consumed` (positions that the table has read once it is written),
    `made_by` (fingerprint of the model), and what its kind of window adds: `files` and `batch_id`, or `since` and `newest`. -#}
{%- macro plan_of(sql) -%}
    {%- set request = requested_window(sql) -%}
    {%- set existing = load_relation(this) -%}
    {%- set made_by = fingerprint_of(sql) if request.kind in ['batches', 'keys'] else none -%}
    {%- set is_rebuild = existing is none or existing.is_view or should_full_refresh() or config.get('materialized') == 'table' or (made_by and _is_outdated(made_by)) -%}
    {%- set seen = consumed_positions(this) if made_by and not is_rebuild else {} -%}
    {%- if request.kind == 'files' -%}
        {%- set plan = plan_files(request.source) -%}
    {%- elif request.kind == 'batches' -%}
        {%- set plan = plan_batches(request.bronze, seen) -%}
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
