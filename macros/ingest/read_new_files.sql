{#- The whole of a bronze model: the records of the files of a source that were not ingested before. -#}
{%- macro read_new_files(relation) -%}
    {%- if not execute -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set source = landing_source(relation) -%}
    {%- set batch_id = _next_batch_id(source) -%}
    {%- set files = list_new_files(source) -%}
    {%- if files -%}
        {%- do _declare_landing_table(relation, source) -%}
        {{ write_plan({'source': source.name, 'batch_id': batch_id, 'files': files}) }}
        {{ _records_of_files(relation, source, files, batch_id) }}
    {%- else -%}
        {{ write_plan({'skip': true}) }}
        {{ _no_records(source) }}
    {%- endif -%}
{%- endmacro -%}

{#- The next batch, after the ledger has caught up with a run that was killed between bronze and ledger. -#}
{%- macro _next_batch_id(source) -%}
    {%- set recorded = run_query(
        'select coalesce(max(batch_id), 0) from ' ~ file_ledger() ~ " where source = '" ~ source.name ~ "'"
    ).rows[0][0] | int -%}
    {%- if not is_incremental() -%}
        {{- return(recorded + 1) -}}
    {%- endif -%}
    {%- set written = run_query('select coalesce(max(batch_id), 0) from ' ~ this).rows[0][0] | int -%}
    {%- if written > recorded -%}
        {%- do record_files(this, source.name, recorded + 1) -%}
    {%- endif -%}
    {{- return([written, recorded] | max + 1) -}}
{%- endmacro -%}

{#- The folder as a table. CSV goes through a table because only there a record with any number of fields keeps its
    exact text, line breaks inside quotes included. Its list of files is cached, hence the refresh. -#}
{%- macro _declare_landing_table(relation, source) -%}
    {%- set options = {'recursiveFileLookup': 'true'} -%}
    {%- if source.format == 'csv' -%}
        {%- do options.update({'header': 'false', 'multiLine': 'true', 'escape': '"', 'columnNameOfCorruptRecord': 'raw'}) -%}
    {%- endif -%}
    {%- do options.update(source.options) -%}
    {%- set literals = [] -%}
    {%- for name, value in options.items() -%}
        {%- do literals.append("'" ~ name ~ "' " ~ sql_literal(value)) -%}
    {%- endfor -%}
    {%- do run_query('create schema if not exists ' ~ relation.schema) -%}
    {%- do run_query('drop table if exists ' ~ relation) -%}
    {%- do run_query(
        'create table ' ~ relation ~ (' (first_field string, raw string) using csv' if source.format == 'csv' else ' (value string) using text')
        ~ ' options (' ~ literals | join(', ') ~ ') location ' ~ sql_literal(source.folder)
    ) -%}
{%- endmacro -%}

{%- macro _records_of_files(relation, source, files, batch_id) -%}
with files_of_batch as (
    select
        {{ 'coalesce(raw, first_field)' if source.format == 'csv' else 'value' }} as record,
        _metadata.file_path as file_uri,
        _metadata.file_size as file_size,
        _metadata.file_modification_time as file_modified_at,
        _metadata.file_block_start as block_start,
        monotonically_increasing_id() as position
    from {{ relation }}
    -- literals: with them Spark opens these files only
    where _metadata.file_path in (
        {%- for file in files %}
        {{ sql_literal(file['uri']) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
),

{{ csv_records('files_of_batch', source) if source.format == 'csv' else json_records('files_of_batch') }}

select
    record,
    {%- if source.format == 'csv' %}
    fields,
    {%- endif %}
    unreadable_reason,
    {{ source_file_of('file_uri') }} as source_file,
    cast(record_number as bigint) as record_number,
    file_size,
    file_modified_at,
    cast({{ batch_id }} as bigint) as batch_id,
    '{{ invocation_id }}' as invocation_id,
    current_timestamp() as ingested_at
from records
{%- endmacro -%}

{%- macro _no_records(source) -%}
select
    cast(null as string) as record,
    {%- if source.format == 'csv' %}
    cast(null as map<string, string>) as fields,
    {%- endif %}
    cast(null as string) as unreadable_reason,
    cast(null as string) as source_file,
    cast(null as bigint) as record_number,
    cast(null as bigint) as file_size,
    cast(null as timestamp) as file_modified_at,
    cast(null as bigint) as batch_id,
    cast(null as string) as invocation_id,
    cast(null as timestamp) as ingested_at
where false
{%- endmacro -%}
