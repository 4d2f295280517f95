{#-
    What upstream does: stages each batch in a temporary view named without its schema, so that two models of one name in
    two schemas write each other's rows (dbt-labs/dbt-spark#350); checks a contract only when it creates the table;
    commits, also when there is nothing new; leaves `partitionOverwriteMode` set for the whole session (insert_overwrite,
    microbatch) and with it loses rows when session zone or batch are not what it thinks (dbt-labs/dbt-spark#1109).
    Here: one staging view a schema and model, the contract with its constraints checked on every run before anything is
    written, no write without new data, and the strategies append, merge and replace_where; the others are refused.
    Can go when: dbt-spark stages with the schema in the name, has replace_where, and checks contracts on every run.
-#}
{%- materialization incremental, adapter='spark', supported_languages=['sql'] -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_relation(this) -%}
    {%- set is_rebuild = existing_relation is none or existing_relation.is_view or should_full_refresh() -%}
    {%- set plan = read_plan(sql) -%}
    {%- set pruning = [] -%}
    {%- set creates_at_once = is_rebuild and 'batch_id' not in plan and engine() == 'spark' -%}
    {%- do _validate_strategy(config.get('incremental_strategy')) -%}

    {%- if plan.get('skip') and not is_rebuild -%}
        {%- do balance_rows(target_relation, plan.get('since', 0)) -%}
        {%- set properties = _reconcilable_properties(target_relation) -%}
        {%- do reconcile_tblproperties(target_relation, properties) -%}
        {%- do reconcile_constraints(target_relation, properties) -%}
        {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
        {{- return({'relations': [target_relation]}) -}}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {%- if existing_relation is not none and existing_relation.is_view -%}
        {%- do adapter.drop_relation(existing_relation) -%}
    {%- endif -%}

    {%- set staged = none if creates_at_once and not declared_constraints() else _stage(sql) -%}
    {%- if creates_at_once -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, target_relation, 'select * from ' ~ staged if staged else sql) }}
        {%- endcall -%}
    {%- else -%}
        {%- if is_rebuild -%}
            {#- A batch of files is written by an INSERT that Delta takes once only, so the table must stand before. Its
                properties come after: a run killed before the catalog knows the table leaves a folder that can be replaced
                only while it is not append-only. -#}
            {%- do create_empty_table(target_relation, staged) -%}
        {%- endif -%}
        {%- set properties = _reconcilable_properties(target_relation) -%}
        {%- do reconcile_tblproperties(target_relation, properties) -%}
        {%- if not is_rebuild -%}
            {%- do process_schema_changes(config.get('on_schema_change') or 'ignore', staged, existing_relation) -%}
        {%- endif -%}
        {%- do reconcile_constraints(target_relation, properties) -%}
        {%- do _write_staged(staged, target_relation, plan, is_rebuild, pruning) -%}
    {%- endif -%}
    {%- if staged -%}
        {%- call statement('drop_staged') -%}
            drop view if exists {{ staged }}
        {%- endcall -%}
    {%- endif -%}

    {%- if 'files' in plan -%}
        {%- do record_files(target_relation, plan['source'], plan['batch_id'], plan['files']) -%}
    {%- endif -%}
    {%- do balance_rows(target_relation, plan.get('since', 0), pruning) -%}
    {%- do record_consumed(target_relation, plan.get('consumed')) -%}
    {%- do apply_grants(target_relation, config.get('grants'), should_revoke(existing_relation, should_full_refresh())) -%}
    {%- do persist_docs(target_relation, model) -%}

    {{ run_hooks(post_hooks) }}

    {{- return({'relations': [target_relation]}) -}}
{%- endmaterialization -%}

{%- macro _validate_strategy(strategy) -%}
    {%- if strategy not in ['append', 'merge', 'replace_where'] -%}
        {{- exceptions.raise_compiler_error(
            "incremental_strategy '" ~ strategy ~ "' of " ~ model.name ~ " is refused: it can lose rows on Spark. "
            ~ "Use append, merge (with a unique_key) or replace_where (with the macro touched)."
        ) -}}
    {%- elif strategy == 'merge' and not config.get('unique_key') -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": the strategy merge needs a unique_key; without one every row would be appended.") -}}
    {%- endif -%}
    {#- Settings of dbt's own materialization that would be passed over here without a word. -#}
    {%- for setting, instead in {
        'incremental_predicates': 'Use merge_prune, with the slack that holds for its rows.',
        'predicates': 'Use merge_prune, with the slack that holds for its rows.',
        'merge_update_columns': 'Use merge_exclude_columns, and newest_by for the order in which rows are updated.',
        'sql_header': 'A SET would reach the models of all threads; settings belong into profiles.yml.',
    }.items() if config.get(setting) -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": the config " ~ setting ~ " is not known here. " ~ instead) -}}
    {%- endfor -%}
{%- endmacro -%}

{#- Read once for all that is compared with them, and only where something is. -#}
{%- macro _reconcilable_properties(relation) -%}
    {%- set is_compared = config.get('tblproperties') or (config.get('contract') or {}).enforced -%}
    {{- return(table_properties(relation) if is_compared else {}) -}}
{%- endmacro -%}

{#- What a run is about to write, as a view whose columns and rows keep the contract. -#}
{%- macro _stage(sql) -%}
    {%- if config.get('contract').enforced -%}
        {%- do assert_columns_equivalent(sql) -%}
    {%- endif -%}
    {%- set staged = make_temp_relation(this) -%}
    {%- call statement('stage') -%}
        {{ create_temporary_view(staged, sql) }}
    {%- endcall -%}
    {%- do assert_staged_rows(staged) -%}
    {{- return(staged) -}}
{%- endmacro -%}

{%- macro _write_staged(staged, target_relation, plan, is_rebuild, pruning) -%}
    {%- set strategy = config.get('incremental_strategy') -%}
    {%- if strategy == 'merge' and not is_rebuild -%}
        {#- The batch is needed twice, for the range that prunes the target and for the MERGE, but computed once. -#}
        {%- do _cache(staged) -%}
        {%- do pruning.extend(merge_pruning(staged)) -%}
        {%- call statement('main') -%}
            {{ get_merge_sql(target_relation, staged, config.get('unique_key'), none, pruning) }}
        {%- endcall -%}
        {%- do _cache(staged, 'uncache') -%}
    {%- else -%}
        {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='quoted') | join(', ') -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }}
            {%- if 'batch_id' in plan and engine() == 'spark' %}
            with (
                'txnAppId' = 'medallion.{{ target_relation }}',
                'txnVersion' = '{{ plan['batch_id'] }}',
                'userMetadata' = '{"batch_id": {{ plan['batch_id'] }}, "invocation_id": "{{ invocation_id }}"}'
            )
            {%- endif %}
            {%- if strategy == 'replace_where' and not is_rebuild %}
            replace where {{ plan['replace_where'] }}
            {%- endif %}
            select {{ columns }} from {{ staged }}
            {%- if engine() == 'sail' and declared_constraints() %}
            {#- Sail would else check the constraints before the filters of the query, on rows that it does not write. #}
            limit {{ 2 ** 63 - 1 }}
            {%- endif %}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro -%}

{#- For rows that are read twice. Dropping a view ends its cache. Sail has none. -#}
{%- macro _cache(relation, action='cache') -%}
    {%- if engine() == 'spark' -%}
        {%- call statement(action) -%} {{ action }} table {{ relation }} {%- endcall -%}
    {%- endif -%}
{%- endmacro -%}
