{#- The project's own books stand before any model runs: bronze reads in the ledger of files which are new and enters the fields
    that they have, silver enters in the ledger of rows where each landed record went. -#}
{%- macro create_ledgers() -%}
    {%- if execute -%}
        {%- set schema = file_ledger().schema -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {#- The catalog of Sail is new in each process; the lake tells all. -#}
        {%- set known = [] if engine() == 'sail' else run_query('show tables in ' ~ schema).columns[1].values() | list -%}
        {%- set ledgers = [file_ledger(), batch_fields(), row_ledger(), rule_results(), discarded_records()] -%}
        {%- set missing = ledgers | rejectattr('identifier', 'in', known) | list -%}
        {%- if missing and target.host in ['local', 'sail'] -%}
            {%- set found = register_lake_tables(schema, known) -%}
            {%- set missing = missing | rejectattr('identifier', 'in', found) | list -%}
        {%- endif -%}
        {%- for ledger in missing -%}
            {%- set columns = _ledger_columns()[ledger.identifier] -%}
            {%- do run_query(
                'create table if not exists ' ~ ledger ~ (' (' ~ columns ~ ')' if engine() == 'sail') ~ ' using delta '
                ~ sail_location_clause(ledger) ~ " tblproperties ('delta.autoOptimize.autoCompact' = 'true')"
                ~ (' as ' ~ _no_rows_sql(columns) if engine() == 'spark')
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}

{#- As a query, because a table of bare columns is refused where a killed run left a folder without a commit. -#}
{%- macro _no_rows_sql(columns) -%}
    select columns.* from (select from_json('', {{ sql_literal(columns | trim) }}) as columns) where false
{%- endmacro -%}

{%- macro _ledger_columns() -%}
    {{- return({
        'file_ledger': "
            source string comment 'Source in the landing zone',
            source_file string comment 'Path of the file below the landing root',
            batch_id bigint comment 'Batch of the source that ingested the file',
            file_size bigint comment 'Size at ingest, bytes',
            file_modified_at timestamp comment 'Modification time at ingest, UTC',
            record_count bigint comment 'Records that bronze holds of the file',
            unreadable_count bigint comment 'Of these: records that could not be read',
            ingested_at timestamp comment 'When the file was ingested, UTC'
        ",
        'batch_fields': "
            source string comment 'Source in the landing zone',
            batch_id bigint comment 'Batch of the source',
            field string comment 'Name of the field, or of the column of a CSV header',
            types string comment 'Its types in the batch',
            record_count bigint comment 'Records of the batch that have it',
            recorded_at timestamp comment 'When they were counted, UTC'
        ",
        'row_ledger': "
            source string comment 'Source in the landing zone',
            batch_id bigint comment 'Batch of the source',
            place string comment 'Where the records went',
            reason string comment 'The broken rules, or why they could not be read',
            record_count bigint comment 'Records of the batch in this place for this reason',
            invocation_id string comment 'The dbt run that counted them',
            recorded_at timestamp comment 'When they were counted, UTC'
        ",
        'rule_results': "
            source string comment 'Source in the landing zone',
            batch_id bigint comment 'Batch of the source',
            rule string comment 'The rule, or why records could not be read',
            severity string comment 'quarantine, or warn',
            record_count bigint comment 'Records of the batch that broke it',
            invocation_id string comment 'The dbt run that counted them',
            recorded_at timestamp comment 'When they were counted, UTC'
        ",
        'discarded_records': "
            source string comment 'Source in the landing zone',
            batch_id bigint comment 'Batch of the source',
            source_file string comment 'Path of the file below the landing root',
            record_number bigint comment 'Place of the record in its file',
            note string comment 'Why it was given up',
            invocation_id string comment 'The dbt run that discarded it',
            discarded_at timestamp comment 'When it was discarded, UTC'
        ",
    }) -}}
{%- endmacro -%}
