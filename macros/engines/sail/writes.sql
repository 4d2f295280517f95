{#- Creates or replaces a table without rows, every column nullable: a query would make columns NOT NULL, and cannot replace a table that has
    other columns. The caller inserts, and then sets the properties that describe the rows. -#}
{%- macro sail__create_table(relation, query, columns, properties, with_rows=true) -%}
    {%- call statement('create_table') -%}
        create or replace table {{ relation }} (
            {%- for column in columns %}
            {{ column.quoted }} {{ column.dtype }}{{ _sail_comment(column.name) }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        {{ file_format_clause() | trim or 'using delta' }}
        {{ "comment " ~ sql_literal(model.description) if model.description }}
        {{ partition_cols(label='partitioned by') }}
        {{ clustered_cols(label='clustered by') }}
        {{ location_clause() }}
        {{ properties_clause({'medallion.documented': properties['medallion.documented']} if 'medallion.documented' in properties) }}
    {%- endcall -%}
    {{- return(false) -}}
{%- endmacro -%}

{%- macro _sail_comment(name) -%}
    {%- set column = model.columns.get(name) -%}
    {%- if column and column.description and config.persist_column_docs() %} comment {{ sql_literal(column.description) }}{% endif -%}
{%- endmacro -%}

{#- Sail cannot change a comment; the docs site shows it anyway. -#}
{%- macro sail__document_columns(relation, comments) -%}{%- endmacro -%}

{#- Sail could add constraints, but not drop them again: only Spark keeps them in the table. -#}
{%- macro sail__constraint_properties(constraints) -%}
    {{- return({}) -}}
{%- endmacro -%}

{%- macro sail__change_constraints(relation, outdated, new) -%}
    {%- if outdated -%}
        {%- do exceptions.warn(
            relation ~ ' still has constraints that its YAML no longer declares: ' ~ outdated | join(', ')
            ~ '. Sail enforces them and cannot drop them; the next build with --target local does.'
        ) -%}
    {%- endif -%}
{%- endmacro -%}

{#- Sail has no cache: what is read twice is computed twice. -#}
{%- macro sail__stage(query) -%}
    {{- return('(' ~ query ~ ')') -}}
{%- endmacro -%}

{%- macro sail__drop_staged(staged) -%}{%- endmacro -%}

{%- macro sail__once_only(relation, batch_id) -%}{%- endmacro -%}

{#- Without it Sail checks the table's constraints before the query's filters, on rows that it does not write. -#}
{%- macro sail__write_barrier(constraints) -%}
    {%- if constraints %}
limit {{ 2 ** 63 - 1 }}
    {%- endif -%}
{%- endmacro -%}

{#- Whether comments and constraints of an existing table can be changed. -#}
{%- macro sail__can_alter() -%}
    {{- return(false) -}}
{%- endmacro -%}

{%- macro sail__create_ledger(relation, columns) -%}
    {%- do run_query(
        'create table if not exists ' ~ relation ~ ' (' ~ columns ~ ') using delta ' ~ lake_location_clause(relation)
        ~ " tblproperties ('delta.autoOptimize.autoCompact' = 'true')"
    ) -%}
{%- endmacro -%}

{%- macro sail__can_optimize() -%}
    {{- return(false) -}}
{%- endmacro -%}
