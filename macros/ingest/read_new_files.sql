{#- The whole of a bronze model: the records of the files of a source that were not ingested before. -#}
{%- macro read_new_files(relation) -%}
    {%- if not execute -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set source = landing_source(relation) -%}
    {%- if not is_building() -%}
        {{- return(_no_records(source)) -}}
    {%- endif -%}
    {%- set batch_id = next_batch_id(source.name) -%}
    {%- set files = list_new_files(source) -%}
    {%- if files -%}
        {{ write_plan({'source': source.name, 'batch_id': batch_id, 'files': files}) }}
        {{ _records_of_files(source, files, batch_id) }}
    {%- else -%}
        {{ write_plan({'skip': true}) }}
        {{ _no_records(source) }}
    {%- endif -%}
{%- endmacro -%}

{#- A local file is read without looking for a checksum beside it: Hadoop cannot name that one where a name holds a colon. Its cache
    would give the reader that the tables of the lake use. -#}
{%- macro _reader_settings() -%}
    {{- return({
        'recursiveFileLookup': 'true',
        'fs.file.impl': 'org.apache.hadoop.fs.RawLocalFileSystem',
        'fs.file.impl.disable.cache': 'true',
    }) -}}
{%- endmacro -%}

{%- macro _records_of_files(source, files, batch_id) -%}
with files_of_batch as (
    {{ landing_contents(source, files) }}
),

{{ csv_records('files_of_batch', source) if source.format == 'csv' else json_records('files_of_batch', source) }}

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
    current_timestamp() as ingested_at
from records
{%- endmacro -%}

{#- Literals: with them Spark opens these files only. -#}
{%- macro _is_one_of(files) -%}
    _metadata.file_path in (
        {%- for file in files %}
        {{ sql_literal(file['uri']) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
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
    cast(null as timestamp) as ingested_at
where false
{%- endmacro -%}
