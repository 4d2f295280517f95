{#- The project's own ledgers, declared once, in models/ops.yml: names, columns, types and descriptions. -#}
{%- macro file_ledger() -%}{{- return(_book('file_ledger')) -}}{%- endmacro -%}
{%- macro batch_fields() -%}{{- return(_book('batch_fields')) -}}{%- endmacro -%}
{%- macro row_ledger() -%}{{- return(_book('row_ledger')) -}}{%- endmacro -%}
{%- macro rule_results() -%}{{- return(_book('rule_results')) -}}{%- endmacro -%}
{%- macro discarded_records() -%}{{- return(_book('discarded_records')) -}}{%- endmacro -%}
{%- macro node_results() -%}{{- return(_book('node_results')) -}}{%- endmacro -%}
{%- macro releases() -%}{{- return(_book('releases')) -}}{%- endmacro -%}

{%- macro _book(name) -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier=name, type='table')) -}}
{%- endmacro -%}

{#- For on-run-start: creates the ledgers, and reads them before any model runs. -#}
{%- macro open_ledgers() -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'ops' -%}
        {%- if load_relation(relation_of(node)) is none -%}{%- do create_book(node) -%}{%- endif -%}
    {%- endfor -%}
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
