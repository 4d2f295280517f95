{#- The rows that a run is about to write, in a form that can follow FROM: the query itself, or a name if they are read more than once. -#}
{%- macro stage_rows(query, plan) -%}
    {%- set is_read_twice = declared_constraints() or (config.get('merge_prune') and not plan.is_rebuild and not plan.compares) -%}
    {%- if not is_read_twice -%}
        {{- return('(' ~ query ~ ')') -}}
    {%- endif -%}
    {%- do plan.update({'staged': on_engine('stage', query)}) -%}
    {{- return(plan.staged) -}}
{%- endmacro -%}

{#- Creates or replaces the table, or changes it by the model's strategy. Marks are properties of the table, so a full refresh, a drop or a
    RESTORE takes them along. -#}
{%- macro write_rows(query, plan) -%}
    {%- set is_written = plan.is_rebuild and _create_table(query, plan) -%}
    {%- if not plan.is_rebuild -%}
        {%- do keep_table_settings(plan.table) -%}
    {%- endif -%}
    {%- if not is_written and not plan.is_rebuild and config.get('incremental_strategy') == 'merge' -%}
        {%- if plan.compares -%}
            {#- first, so that a run that ends in between is followed all the same (_changes_since) -#}
            {%- do set_properties(plan.table, {'medallion.backfilled_after': table_state(plan.table).version}) -%}
            {%- set query = _rows_of_backfill(query, plan) -%}
        {%- else -%}
            {%- do plan.pruning.extend(merge_pruning(query)) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ merge_sql(plan.table, query, config.get('unique_key'), columns_of(query, plan), plan.pruning, plan.compares) }}
        {%- endcall -%}
    {%- elif not is_written -%}
        {%- call statement('main') -%}
            {{ _insert_sql(query, plan) }}
        {%- endcall -%}
    {%- endif -%}
    {%- if plan.staged -%}{%- do on_engine('drop_staged', plan.staged) -%}{%- endif -%}
    {%- do forget_state(plan.table) -%}
{%- endmacro -%}

{#- Returns whether the same commit wrote the rows; then it holds the marks too, unless the records must be accounted for first. A batch of
    files is always inserted, because Delta accepts the INSERT of a batch only once. -#}
{%- macro _create_table(query, plan) -%}
    {%- if plan.existing and plan.existing.is_view -%}
        {%- do adapter.drop_relation(plan.existing) -%}
    {%- endif -%}
    {%- set with_rows = 'files' not in plan -%}
    {%- set properties = dict(on_engine('constraint_properties', declared_constraints()), **({'medallion.documented': comments_hash()})) -%}
    {%- if with_rows and not config.get('ledger') -%}{%- do properties.update(_marks(plan)) -%}{%- endif -%}
    {%- if lake_is_local() -%}{%- do name_schema(this.schema) -%}{%- endif -%}
    {%- set has_rows = on_engine('create_table', plan.table, plan.get('no_rows', query), columns_of(query, plan), properties, with_rows) -%}
    {%- do run_memory('named').update({this.schema ~ '.' ~ this.identifier: true}) -%}
    {%- do forget_state(plan.table) -%}
    {%- do document_columns(plan.table, columns_of(query, plan)) -%}
    {%- do plan.update({'is_marked': has_rows and not config.get('ledger')}) -%}
    {{- return(has_rows) -}}
{%- endmacro -%}

{#- Inserts by name, because columns may be in another order; a window is replaced by position, and the fingerprint keeps that order. -#}
{%- macro _insert_sql(query, plan) -%}
    {%- set columns = columns_of(query, plan) | map(attribute='quoted') | join(', ') -%}
    insert into {{ plan.table }}
    {{ on_engine('once_only', plan.table, plan.batch_id) if 'batch_id' in plan }}
    {{ 'by name' if plan.is_rebuild or config.get('incremental_strategy') != 'replace_where' else 'replace where ' ~ plan.replaced }}
    select {{ columns }} from {{ query }} as staged
    {{ on_engine('write_barrier', declared_constraints()) }}
{%- endmacro -%}

{#- Names and types of a query's columns. The engine is asked once, and only if they may differ from those of the table: a table made from the
    same SQL has the same columns, otherwise it is rebuilt (fingerprint_of). -#}
{%- macro columns_of(query, plan) -%}
    {%- if 'columns' not in plan -%}
        {%- set known = (table_state(plan.table) or {}).columns if plan.made_by and not plan.is_rebuild and not (config.get('contract') or {}).enforced else none -%}
        {%- if known -%}
            {%- set columns = [] -%}
            {%- for name in known -%}{%- do columns.append(api.Column(name, '')) -%}{%- endfor -%}
            {%- do plan.update({'columns': columns}) -%}
        {%- else -%}
            {%- do plan.update({'columns': adapter.get_column_schema_from_query('select * from ' ~ query ~ ' as staged where false limit 0')}) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(plan.columns) -}}
{%- endmacro -%}

{#- The computed rows of the keys that are in the days of a backfill, or that the table has there now: a row that has moved is written in its
    right place. -#}
{%- macro _rows_of_backfill(query, plan) -%}
    {%- if plan.compares == 'all rows' -%}
        {{- return(query) -}}
    {%- endif -%}
    {%- set held = [] -%}
    {%- set same_key = [] -%}
    {%- for key in unique_key_of(this) -%}
        {%- do held.append(key ~ ' as held_' ~ key) -%}
        {%- do same_key.append('computed.' ~ key ~ ' <=> held.held_' ~ key) -%}
    {%- endfor -%}
    (
        select computed.*
        from {{ query }} as computed
        left join (select {{ held | join(', ') }}, true as is_held from {{ this }} where {{ is_backfilled(config.get('event_time')) }}) as held
            on {{ same_key | join(' and ') }}
        where held.is_held or {{ is_backfilled('computed.' ~ config.get('event_time')) }}
    )
{%- endmacro -%}

{#- Keys compare null-safe, and a matched row is updated only by a newer one, as the columns of the config `newest_by` decide. Without that
    config, matched rows stay as they are. A backfill (`compares`) makes the rows of its days, or all, those that the model computes.
    Replaces dbt-spark's own, which inserts a NULL key again on every run, rewrites whole files without any change, and lets an older record
    overwrite a newer one (databricks/dbt-databricks#590). -#}
{%- macro merge_sql(target, query, unique_key, columns, predicates, compares=none) -%}
    {%- set conditions = [] + predicates -%}
    {%- for key in ([unique_key] if unique_key is string else unique_key) -%}
        {%- do conditions.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' <=> DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
    {%- set names = columns | map(attribute='quoted') | list -%}
    merge into {{ target }} as DBT_INTERNAL_DEST
    using {{ query }} as DBT_INTERNAL_SOURCE
    on {{ conditions | join(' and ') }}
    {%- if compares or config.get('newest_by') %}
    when matched and {{ _differs(columns) if compares else is_newer('DBT_INTERNAL_SOURCE', 'DBT_INTERNAL_DEST', config.get('newest_by')) }} then update set
        {%- for column in columns if column.name not in (config.get('merge_exclude_columns') or []) %}
        {{ column.quoted }} =
            {%- if column.name == 'version_batch_id' %} case when {{ is_same_version('DBT_INTERNAL_SOURCE', 'DBT_INTERNAL_DEST', config.get('newest_by')) }} then DBT_INTERNAL_DEST.version_batch_id else DBT_INTERNAL_SOURCE.version_batch_id end
            {%- else %} DBT_INTERNAL_SOURCE.{{ column.quoted }}
            {%- endif -%}
            {{- ',' if not loop.last -}}
        {%- endfor %}
    {%- endif %}
    when not matched then insert ({{ names | join(', ') }})
        values (DBT_INTERNAL_SOURCE.{{ names | join(', DBT_INTERNAL_SOURCE.') }})
    {%- if compares %}
    when not matched by source {{ 'and ' ~ is_backfilled('DBT_INTERNAL_DEST.' ~ config.get('event_time')) if compares == 'days' }} then delete
    {%- endif %}
{%- endmacro -%}

{%- macro _differs(columns) -%}
    {%- set equal = [] -%}
    {%- for column in columns if column.name not in lineage_columns() -%}
        {%- do equal.append('DBT_INTERNAL_SOURCE.' ~ column.quoted ~ ' <=> DBT_INTERNAL_DEST.' ~ column.quoted) -%}
    {%- endfor -%}
    {{- return('not (' ~ equal | join(' and ') ~ ')') -}}
{%- endmacro -%}

{#- Predicates that keep a MERGE from reading the whole target: the range of the batch in the column `merge_prune.column`,
    widened by `merge_prune.slack_days`. With slack 0 the column is part of the key. With any other slack, versions of a key are usually no
    further apart; if the target has a key of the batch outside the range, the MERGE reads all of it. -#}
{%- macro merge_pruning(staged) -%}
    {%- set prune = config.get('merge_prune') -%}
    {%- if not prune -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set slack = prune.get('slack_days', 0) -%}
    {%- set range = run_query(
        'select cast(greatest(date_sub(min(' ~ prune['column'] ~ '), ' ~ slack ~ "), date'0001-01-01') as string) as low, "
        ~ 'cast(least(date_add(max(' ~ prune['column'] ~ '), ' ~ slack ~ "), date'9999-12-31') as string) as high, count(*) - count("
        ~ prune['column'] ~ ') as outside from ' ~ staged
    ).rows[0] -%}
    {%- if range['low'] is none or range['outside'] > 0 -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set within = prune['column'] ~ " between date'" ~ range['low'] ~ "' and date'" ~ range['high'] ~ "'" -%}
    {%- if slack -%}
        {%- set keys = ([config.get('unique_key')] if config.get('unique_key') is string else config.get('unique_key')) | join(', ') -%}
        {%- set outside = run_query(
            'select 1 from (select ' ~ keys ~ ' from ' ~ this ~ ' where not (' ~ within ~ ')) as held inner join (select ' ~ keys ~ ' from '
            ~ staged ~ ') as staged using (' ~ keys ~ ') limit 1'
        ).rows -%}
        {%- if outside -%}
            {{- return([]) -}}
        {%- endif -%}
    {%- endif -%}
    {{- return(['DBT_INTERNAL_DEST.' ~ within]) -}}
{%- endmacro -%}
