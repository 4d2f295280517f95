{#- The project's own ledgers, declared once, in models/ops.yml: names, columns, types and descriptions. -#}
{%- macro file_ledger() -%}{{- return(_book('file_ledger')) -}}{%- endmacro -%}
{%- macro batch_fields() -%}{{- return(_book('batch_fields')) -}}{%- endmacro -%}
{%- macro row_ledger() -%}{{- return(_book('row_ledger')) -}}{%- endmacro -%}
{%- macro rule_results() -%}{{- return(_book('rule_results')) -}}{%- endmacro -%}
{%- macro discarded_records() -%}{{- return(_book('discarded_records')) -}}{%- endmacro -%}
{%- macro node_results() -%}{{- return(_book('node_results')) -}}{%- endmacro -%}
{%- macro releases() -%}{{- return(_book('releases')) -}}{%- endmacro -%}
{%- macro lease() -%}{{- return(_book('lease')) -}}{%- endmacro -%}

{%- macro _book(name) -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier=name, type='table')) -}}
{%- endmacro -%}

{#- For on-run-start: creates the ledgers, takes the lease where there is one, and reads the ledgers before any model runs. -#}
{%- macro open_ledgers() -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'ops' and not (node.name == 'lease' and lake_is_local()) -%}
        {%- if load_relation(relation_of(node)) is none -%}{%- do create_book(node) -%}{%- endif -%}
    {%- endfor -%}
    {%- if execute and not lake_is_local() and flags.WHICH != 'test' -%}
        {%- do take_lease() -%}
    {%- endif -%}
    {%- if is_building() and selected_resources | select('in', _bronze_models()) | first is defined -%}
        {%- do read_books() -%}
    {%- endif -%}
    {%- if execute and flags.WHICH in ['build', 'test', 'retry'] and (selected_resources | join(' ')).find('test.') >= 0 -%}
        {%- do results_of_tests() -%}
    {%- endif -%}
{%- endmacro -%}

{#- An empty table, as a source of models/ops.yml describes it. -#}
{%- macro create_book(node) -%}
    {%- set book = relation_of(node) -%}
    {%- do name_schema(book.schema) -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- do columns.append(column.name ~ ' ' ~ column.data_type ~ ' comment ' ~ sql_literal(column.description)) -%}
    {%- endfor -%}
    {%- do on_engine('create_ledger', book, columns | join(', ')) -%}
    {%- do run_memory('named').update({book.schema ~ '.' ~ book.identifier: true}) -%}
    {%- do forget_state(book) -%}
    {%- do adapter.cache_added(book) -%}
{%- endmacro -%}

{%- macro _bronze_models() -%}
    {%- set names = [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'landing' -%}
        {%- do names.append(node_of_source('bronze', node.name).unique_id) -%}
    {%- endfor -%}
    {{- return(names) -}}
{%- endmacro -%}

{#- The newest batches of a source in bronze (`written`) and in each ledger: `recorded` and `with_records` in the file ledger, `counted` in
    batch_fields, `placed` in the row ledger; 0 for none. All sources are read in one statement, once per run. -#}
{%- macro books_of(source_name) -%}
    {%- set books = run_memory('books') -%}
    {%- if source_name not in books -%}
        {%- do read_books() -%}
    {%- endif -%}
    {{- return(run_memory('books')[source_name]) -}}
{%- endmacro -%}

{#- On-run-start reads them for a run that ingests, before all of its threads would. -#}
{%- macro read_books() -%}
    {%- set parts = [] -%}
    {%- set tables = [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'landing' -%}
        {%- set bronze = relation_of(node_of_source('bronze', node.name)) -%}
        {%- if load_relation(bronze) is not none -%}
            {%- do tables.append(node.name) -%}
            {%- do parts.append("select '" ~ node.name ~ "' as source, 'written' as book, max(batch_id) as batch_id from " ~ by_place(bronze)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for ledger, columns in {
        file_ledger(): ["'recorded'", "'with_records'"], batch_fields(): ["'counted'"], row_ledger(): ["'placed'"],
    }.items() -%}
        {%- for book in columns -%}
            {%- do parts.append(
                'select source, ' ~ book ~ ' as book, max(batch_id) as batch_id from ' ~ by_place(ledger)
                ~ (' where record_count > 0' if book == "'with_records'") ~ ' group by source'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set books = {} -%}
    {%- for node in graph.sources.values() if node.source_name == 'landing' -%}
        {%- do books.update({node.name: {
            'written': 0, 'recorded': 0, 'with_records': 0, 'counted': 0, 'placed': 0, 'has_table': node.name in tables,
        }}) -%}
    {%- endfor -%}
    {%- for row in run_query(parts | join(' union all ')).rows if row['source'] in books -%}
        {%- do books[row['source']].update({row['book']: (row['batch_id'] or 0) | int}) -%}
    {%- endfor -%}
    {%- do run_memory('books').update(books) -%}
{%- endmacro -%}

{#- The newest batch of a bronze table: as this run wrote or found it, otherwise as the table says. -#}
{%- macro newest_batch(bronze) -%}
    {%- set newest = run_memory('newest') -%}
    {%- if bronze.identifier not in newest -%}
        {%- do newest.update({
            bronze.identifier: run_query('select coalesce(max(batch_id), 0) from ' ~ by_place(bronze)).rows[0][0] | int
        }) -%}
    {%- endif -%}
    {{- return(newest[bronze.identifier]) -}}
{%- endmacro -%}

{#- The node of a source in a layer, `bronze_orders`. -#}
{%- macro node_of_source(layer, source) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == layer ~ '_' ~ source -%}
        {{- return(node) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error((model.name if model is defined else 'Source ' ~ source) ~ ": no model " ~ layer ~ "_" ~ source ~ ", which the row ledger needs.") -}}
{%- endmacro -%}

{%- macro table_of_source(layer, source) -%}
    {{- return(relation_of(node_of_source(layer, source))) -}}
{%- endmacro -%}

{#- One writer at a time on a lake that several machines share, and no lock file: the one row of ops.lease says whose the lake is, and until
    when. Of two that take it at once, Delta refuses one. A killed run stands in the way until its lease ends. -#}
{%- macro take_lease() -%}
    {%- set now = modules.datetime.datetime.now() -%}
    {%- set taken = run_query(
        'merge into ' ~ lease() ~ " as lease using (select concat(current_user(), ' on ', " ~ sql_literal(env_var('HOSTNAME', '?')) ~ ") as holder, '"
        ~ invocation_id ~ "' as invocation_id, current_timestamp() as taken_at, " ~ _lease_end() ~ ' as expires_at) as taker on true '
        ~ 'when matched and lease.expires_at <= taker.taken_at then update set * when not matched then insert *'
    ).rows[0][0] | int -%}
    {%- if not taken -%}
        {{- exceptions.raise_compiler_error(_lease_is_held()) -}}
    {%- endif -%}
    {%- do run_memory('lease').update({'renew_at': now + _half_a_lease()}) -%}
{%- endmacro -%}

{#- Before each write: renews a lease that is half over. One thread at a time has the room's entry, and the others don't wait for it. -#}
{%- macro keep_lease() -%}
    {%- set room = run_memory('lease') -%}
    {%- set now = modules.datetime.datetime.now() -%}
    {%- set renew_at = room.pop('renew_at', none) -%}
    {%- if renew_at and now < renew_at -%}
        {%- do room.update({'renew_at': renew_at}) -%}
    {%- elif renew_at -%}
        {%- set is_mine = _change_lease(_lease_end(), invocation_id) -%}
        {%- do room.update({'renew_at': now + _half_a_lease() if is_mine else renew_at}) -%}
        {%- if not is_mine -%}
            {{- exceptions.raise_compiler_error('The lease of this run ended while it wrote one table; raise the var lease_minutes. ' ~ _lease_is_held()) -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- For on-run-end, and by hand for a run that was killed: dbt run-operation release_lease --args '{of_run: ...}'. -#}
{%- macro release_lease(of_run=none) -%}
    {%- if of_run or run_memory('lease') -%}
        {%- if not _change_lease('current_timestamp()', of_run or invocation_id) and of_run -%}
            {{- exceptions.raise_compiler_error('Run ' ~ of_run ~ ' does not hold the lease of this lake.') -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro _change_lease(expires_at, of_run) -%}
    {{- return(run_query(
        'update ' ~ lease() ~ ' set expires_at = ' ~ expires_at ~ ' where invocation_id = ' ~ sql_literal(of_run)
    ).rows[0][0] | int > 0) -}}
{%- endmacro -%}

{%- macro _lease_end() -%}
    {{- return('timestampadd(second, ' ~ (var('lease_minutes') * 60) | int ~ ', current_timestamp())') -}}
{%- endmacro -%}

{%- macro _half_a_lease() -%}
    {{- return(modules.datetime.timedelta(minutes=var('lease_minutes') / 2)) -}}
{%- endmacro -%}

{%- macro _lease_is_held() -%}
    {%- set held = run_query('select * from ' ~ lease()).rows[0] -%}
    {{- return(
        held['holder'] ~ ' holds the lease of this lake since ' ~ held['taken_at'] ~ ', until ' ~ held['expires_at'] ~ ' (UTC) or longer. '
        ~ 'Wait until that run has ended. If it was killed, free the lake, with the target of this run: dbt run-operation release_lease '
        ~ "--args '{of_run: " ~ held['invocation_id'] ~ "}'"
    ) -}}
{%- endmacro -%}
