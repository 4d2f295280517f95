{#- The project's own books. They are declared once, in models/ops.yml: names, columns, types and descriptions. -#}
{%- macro file_ledger() -%}{{- return(_book('file_ledger')) -}}{%- endmacro -%}
{%- macro batch_fields() -%}{{- return(_book('batch_fields')) -}}{%- endmacro -%}
{%- macro row_ledger() -%}{{- return(_book('row_ledger')) -}}{%- endmacro -%}
{%- macro rule_results() -%}{{- return(_book('rule_results')) -}}{%- endmacro -%}
{%- macro discarded_records() -%}{{- return(_book('discarded_records')) -}}{%- endmacro -%}

{%- macro _book(name) -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier=name, type='table')) -}}
{%- endmacro -%}

{#- The books stand, and are read, before any model runs: for on-run-start. -#}
{%- macro open_ledgers() -%}
    {%- for node in (graph.sources.values() if execute else []) if node.source_name == 'ops' -%}
        {%- set ledger = relation_of(node) -%}
        {%- if load_relation(ledger) is none -%}
            {%- do name_schema(ledger.schema) -%}
            {%- do on_engine('create_ledger', ledger, node.columns.values()) -%}
            {%- do run_memory('named').update({ledger.schema ~ '.' ~ ledger.identifier: true}) -%}
            {%- do forget_state(ledger) -%}
            {%- do adapter.cache_added(ledger) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if is_building() and selected_resources | select('in', _bronze_models()) | first is defined -%}
        {%- do read_books() -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro _bronze_models() -%}
    {%- set names = [] -%}
    {%- for node in graph.sources.values() if node.source_name == 'landing' -%}
        {%- do names.append(node_of_source('bronze', node.name).unique_id) -%}
    {%- endfor -%}
    {{- return(names) -}}
{%- endmacro -%}
