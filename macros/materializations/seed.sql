{#-
    What upstream does: writes NULL text as `None`, numbers through float (9007199254740993 becomes ..992), fails on a quote,
    infers each column's type again for every cell (5,000 rows took 160 s), drops the table before it inserts, so that a
    failed seed leaves an empty one, and appends on every run if there is a location_root
    (dbt-labs/dbt-adapters#487, #1040, dbt-labs/dbt-spark#901, #112). It rewrites the table on every run.
    Here: exact values; an error for a value that its column's type cannot hold; and no commit while the data are the same as
    last time (their hash is a property of the table).
    Can go when: the tests of seeds in tests/test_overrides.py pass without this file.
-#}
{%- materialization seed, adapter='spark' -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = adapter.get_relation(database=database, schema=schema, identifier=model.alias) -%}
    {%- do _assert_seed_config(existing) -%}
    {%- set data = load_agate_table() -%}
    {%- do store_result('agate_table', response='OK', agate_table=data) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set query = _seed_query(data) -%}
    {#- Made of what both engines write alike. -#}
    {%- set clause = clustered_cols(label='clustered by') ~ tojson([config.get('partition_by'), config.get('tblproperties')]) -%}
    {%- set hash = local_md5(query ~ model.description ~ tojson(column_comments(), sort_keys=true) ~ clause | trim) -%}
    {%- set rows = data.rows | length -%}
    {%- if existing is not none and existing.is_delta and not should_full_refresh() and table_properties(relation).get('medallion.seed_hash') == hash -%}
        {%- call noop_statement('main', 'UNCHANGED ' ~ rows, 'UNCHANGED', 0) -%} {{ query }} {%- endcall -%}
        {{- return({'relations': [relation]}) -}}
    {%- endif -%}
    {%- if existing is not none and not existing.is_delta -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- do write_seed(relation, '(' ~ query ~ ')', hash) -%}
    {%- call noop_statement('main', 'CREATE ' ~ rows, 'CREATE', rows) -%} {{ query }} {%- endcall -%}
    {%- do apply_grants(relation, config.get('grants'), should_revoke(existing, full_refresh_mode=True)) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{- return({'relations': [relation]}) -}}
{%- endmaterialization -%}

{#- If the rows are inserted separately, the hash comes last, so that a run that ends before it is completed by the next one. -#}
{%- macro write_seed(relation, query, hash) -%}
    {%- set columns = adapter.get_column_schema_from_query('select * from ' ~ query ~ ' as seed where false limit 0') -%}
    {%- do name_table(relation) -%}
    {%- if lake_is_local() -%}{%- do name_schema(relation.schema) -%}{%- endif -%}
    {%- set hash_property = {'medallion.seed_hash': hash} -%}
    {%- set has_rows = on_engine('create_table', relation, query, columns, hash_property) -%}
    {%- do run_memory('named').update({relation.schema ~ '.' ~ relation.identifier: true}) -%}
    {%- do document_columns(relation, columns) -%}
    {%- if not has_rows -%}
        {%- do adapter.add_query('insert into ' ~ relation ~ ' select * from ' ~ query ~ ' as seed', abridge_sql_log=True) -%}
        {%- do set_properties(relation, hash_property) -%}
    {%- endif -%}
    {%- do forget_state(relation) -%}
{%- endmacro -%}

{%- macro _assert_seed_config(existing) -%}
    {%- if config.get('location_root') is not none -%}
        {{- exceptions.raise_compiler_error(
            "Seed '" ~ model.name ~ "' has a location_root. Remove it: a seed is a managed table, so that it can be replaced as a whole."
        ) -}}
    {%- elif config.get('file_format', 'delta') != 'delta' -%}
        {{- exceptions.raise_compiler_error(
            "Seed '" ~ model.name ~ "' has file_format '" ~ config.get('file_format') ~ "': only delta can be replaced in one step."
        ) -}}
    {%- elif existing is not none and existing.is_view -%}
        {{- exceptions.raise_compiler_error(
            "Seed '" ~ model.name ~ "' cannot be written: " ~ existing ~ " is a view. Drop the view or rename the seed."
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{#- Rows travel as JSON text, one literal per batch: Spark's parser takes minutes for a VALUES list with as many cells. -#}
{%- macro _seed_query(data) -%}
    {%- set types = model.config.get('column_types') or {} -%}
    {%- set batches = [] -%}
    {%- for batch in data.rows | batch(1000) -%}
        {%- do batches.append('(' ~ sql_literal(tojson(_seed_texts(batch))) ~ ')') -%}
    {%- endfor -%}
    select
        {%- for name in data.column_names %}
        {{ _seed_column(name, types.get(name) or adapter.convert_type(data, loop.index0), loop.index0) }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select explode(from_json(batch, 'array<array<string>>', map('mode', 'FAILFAST'))) as texts
        from values {{ batches | join(', ') or "('[]')" }} as batches (batch)
    )
{%- endmacro -%}

{%- macro _seed_column(name, type, index) -%}
    {%- set text = 'texts[' ~ index ~ ']' -%}
    {%- set failure = "Seed '" ~ model.name ~ "', column '" ~ name ~ "': no valid " ~ type ~ ": " -%}
    {#- dbt-spark turns ANSI off, and then a plain cast turns a value that does not fit into NULL. -#}
    coalesce(try_cast({{ text }} as {{ type }}), case when {{ text }} is not null then raise_error(concat({{ sql_literal(failure) }}, {{ text }})) end) as `{{ name | replace('`', '``') }}`
{%- endmacro -%}

{%- macro _seed_texts(rows) -%}
    {%- set texts = [] -%}
    {%- for row in rows -%}
        {%- set cells = [] -%}
        {%- for value in row -%}
            {%- if value is none -%}
                {%- do cells.append(none) -%}
            {%- elif value is number and value is not boolean -%}
                {%- do cells.append('{:f}'.format(value)) -%}
            {%- else -%}
                {%- do cells.append(value | string) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do texts.append(cells) -%}
    {%- endfor -%}
    {{- return(texts) -}}
{%- endmacro -%}
