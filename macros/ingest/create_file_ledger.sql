{#- The ledger of ingested files stands before any model runs: bronze reads it to know which files are new. -#}
{%- macro create_file_ledger() -%}
    {%- if execute -%}
        {%- set ledger = file_ledger() -%}
        {%- do run_query('create schema if not exists ' ~ ledger.schema) -%}
        {%- do run_query(
            'create table if not exists ' ~ ledger ~ " (
                source string comment 'Source in the landing zone',
                source_file string comment 'Path of the file below the landing root',
                batch_id bigint comment 'Batch of the source that ingested the file',
                file_size bigint comment 'Size at ingest, bytes',
                file_modified_at timestamp comment 'Modification time at ingest, UTC',
                record_count bigint comment 'Records that bronze holds of the file',
                unreadable_count bigint comment 'Of these: records that could not be read',
                ingested_at timestamp comment 'When the file was ingested, UTC'
            ) using delta " ~ sail_location_clause(ledger) ~ " tblproperties ('delta.autoOptimize.autoCompact' = 'true')"
        ) -%}
    {%- endif -%}
{%- endmacro -%}
