{#- The write path of every table but seeds and snapshots, top to bottom: what is new, the contract, the write, the accounting of records, and
    last the mark of how far the table has read its inputs. A run that ends between two steps is completed by the next one, because the
    mark is never ahead of the rows.
    Replaces dbt-spark's own, which stages two models of one name in one view (dbt-labs/dbt-spark#350), checks a contract only when it
    creates a table, commits when nothing is new, and loses rows by session zone or stale partitions (dbt-labs/dbt-spark#1109). -#}
{%- materialization incremental, adapter='spark', supported_languages=['sql'] -%}
    {%- do assert_write_settings() -%}
    {%- set plan = plan_of(sql) -%}
    {%- if plan.compares -%}{%- do compare_backfill(sql, plan) -%}{%- endif -%}
    {%- if is_dry_run() -%}
        {%- call noop_statement('main', dry_run_words(plan, sql)) -%}{%- endcall -%}
        {{- return({'relations': [plan.table]}) -}}
    {%- elif plan.is_unchanged -%}
        {%- do keep_table_settings(plan.table, is_unchanged=true) -%}
        {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
        {{- return({'relations': [plan.table]}) -}}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {%- do name_inputs(model) -%}
    {%- set query = fill_window(sql, plan.window) -%}
    {%- do assert_columns(query, columns_of('(' ~ query ~ ')', plan)) -%}
    {%- set rows = stage_rows(query, plan) -%}
    {%- do assert_rows(rows, plan.staged) -%}
    {%- do write_rows(rows, plan) -%}
    {%- do account_for(plan) -%}
    {%- do mark_consumed(plan) -%}
    {%- do apply_grants(plan.table, config.get('grants'), should_revoke(plan.existing, plan.is_rebuild)) -%}

    {{ run_hooks(post_hooks) }}

    {{- return({'relations': [plan.table]}) -}}
{%- endmaterialization -%}

{#- The same path for a model that is replaced by every run. -#}
{%- materialization table, adapter='spark', supported_languages=['sql'] -%}
    {{- return(materialization_incremental_spark()) -}}
{%- endmaterialization -%}

{#- Refuses settings of dbt's own materialization that would be ignored silently here. -#}
{%- macro assert_write_settings() -%}
    {%- set strategy = config.get('incremental_strategy') if config.get('materialized') == 'incremental' else 'append' -%}
    {%- if strategy not in ['append', 'merge', 'replace_where'] -%}
        {{- exceptions.raise_compiler_error(
            "incremental_strategy '" ~ strategy ~ "' of " ~ model.name ~ " is refused: it can lose rows on Spark. "
            ~ "Use append, merge (with a unique_key) or replace_where (with the macro touched)."
        ) -}}
    {%- elif strategy == 'merge' and not config.get('unique_key') -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": the strategy merge needs a unique_key; without one every row would be appended.") -}}
    {%- endif -%}
    {%- for setting, instead in {
        'incremental_predicates': 'Use merge_prune, with the slack that its rows need.',
        'predicates': 'Use merge_prune, with the slack that its rows need.',
        'merge_update_columns': 'Use merge_exclude_columns, and newest_by for the order in which rows are updated.',
        'sql_header': 'A SET would affect the models of all threads; put settings into profiles.yml.',
    }.items() if config.get(setting) -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": the config " ~ setting ~ " is not supported here. " ~ instead) -}}
    {%- endfor -%}
{%- endmacro -%}
