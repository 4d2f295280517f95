{#- Creates or replaces a table with the rows of a query, or with none, in one commit. Always as a query, because a table of bare columns is
    refused if a killed run left a folder without a commit. -#}
{%- macro spark__create_table(relation, query, columns, properties, with_rows=true) -%}
    {%- call statement('main' if with_rows else 'create_table') -%}
        create or replace table {{ relation }}
        {{ file_format_clause() | trim or 'using delta' }}
        {{ properties_clause(properties) }}
        {{ partition_cols(label='partitioned by') }}
        {{ clustered_cols(label='clustered by') }}
        {{ location_clause() }}
        {{ comment_clause() }}
        as
        select * from {{ query }}{{ ' where false' if not with_rows }}
    {%- endcall -%}
    {{- return(with_rows) -}}
{%- endmacro -%}

{%- macro spark__document_columns(relation, comments) -%}
    {%- set changes = [] -%}
    {%- for name, comment in comments.items() -%}
        {%- do changes.append(adapter.quote(name) ~ ' comment ' ~ sql_literal(comment)) -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' alter column ' ~ changes | join(', ')) -%}
{%- endmacro -%}

{#- Constraints that a new table has from its first commit; ALTER TABLE would need a commit and a scan for each. -#}
{%- macro spark__constraint_properties(constraints) -%}
    {%- set properties = {} -%}
    {%- for name, condition in constraints.items() -%}
        {%- do properties.update({'delta.constraints.' ~ name: condition}) -%}
    {%- endfor -%}
    {{- return(properties) -}}
{%- endmacro -%}

{#- Rows that are read twice are computed once: the name stands for the query until drop_staged. The name is of this run alone, because a
    failed statement leaves it in the session. -#}
{%- macro spark__stage(query) -%}
    {%- set staged = make_temp_relation(this, '__' ~ invocation_id | replace('-', '_')) -%}
    {%- call statement('stage') -%} cache table {{ staged }} as {{ query }} {%- endcall -%}
    {{- return(staged | string) -}}
{%- endmacro -%}

{%- macro spark__drop_staged(staged) -%}
    {%- call statement('drop_staged') -%} drop view if exists {{ staged }} {%- endcall -%}
{%- endmacro -%}

{#- Delta accepts a batch of files only once, whoever sends it again; the commit says which batch and run wrote it. -#}
{%- macro spark__once_only(relation, batch_id) -%}
with (
    'txnAppId' = 'medallion.{{ relation }}',
    'txnVersion' = '{{ batch_id }}',
    'userMetadata' = '{"batch_id": {{ batch_id }}, "invocation_id": "{{ invocation_id }}"}'
)
{%- endmacro -%}

{%- macro spark__write_barrier(constraints) -%}{%- endmacro -%}

{#- Reconciles the CHECK constraints of a table: drops the outdated ones, adds the new ones. -#}
{%- macro spark__change_constraints(relation, outdated, new) -%}
    {%- for name in outdated -%}
        {%- do run_query('alter table ' ~ relation ~ ' drop constraint ' ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {%- for name, condition in new.items() -%}
        {#- The line end closes a comment in the condition. -#}
        {%- do run_query('alter table ' ~ relation ~ ' add constraint ' ~ adapter.quote(name) ~ ' check (' ~ condition ~ '\n)') -%}
    {%- endfor -%}
{%- endmacro -%}

{%- macro spark__can_alter() -%}
    {{- return(true) -}}
{%- endmacro -%}

{#- As a query, like create_table. -#}
{%- macro spark__create_ledger(relation, columns) -%}
    {%- do run_query(
        'create table if not exists ' ~ relation ~ ' using delta ' ~ lake_location_clause(relation)
        ~ " tblproperties ('delta.autoOptimize.autoCompact' = 'true') as select columns.* from (select from_json('', "
        ~ sql_literal(columns) ~ ') as columns) where false'
    ) -%}
{%- endmacro -%}

{%- macro spark__can_optimize() -%}
    {{- return(true) -}}
{%- endmacro -%}
