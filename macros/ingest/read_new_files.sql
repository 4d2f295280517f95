{#- The whole of a bronze model: the records of the files of a source that were not ingested before. -#}
{%- macro read_new_files(relation) -%}
    {%- set window = ask_for_window({'kind': 'files', 'source': relation, 'asked_by': "read_new_files('" ~ relation.identifier ~ "')"}) -%}
    {%- if window != 'true' -%}
select * from {{ window }} as landed
    {%- elif execute -%}
{{ _no_records(landing_source(relation)) }}
    {%- endif -%}
{%- endmacro -%}

{#- The folder as a table. CSV goes through a table because only there a record with any number of fields keeps its
    exact text, line breaks inside quotes included. Its list of files is cached, hence the refresh. -#}
{%- macro _declare_landing_table(relation, source) -%}
    {%- set options = _reader_settings() -%}
    {%- if source.format == 'csv' -%}
        {%- do options.update({'header': 'false', 'multiLine': 'true', 'columnNameOfCorruptRecord': 'raw'}) -%}
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

{#- A local file is read without looking for a checksum beside it: Hadoop cannot name that one where a name holds a colon. Its cache
    would give the reader that the tables of the lake use. -#}
{%- macro _reader_settings() -%}
    {{- return({
        'recursiveFileLookup': 'true',
        'fs.file.impl': 'org.apache.hadoop.fs.RawLocalFileSystem',
        'fs.file.impl.disable.cache': 'true',
    }) -}}
{%- endmacro -%}

{%- macro _records_of_files(relation, source, files, batch_id) -%}
with files_of_batch as (
    {{ sail_lines(source, files) if engine() == 'sail' else _lines(relation, source, files) }}
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
    current_timestamp() as ingested_at
from records
{%- endmacro -%}

{%- macro _lines(relation, source, files) -%}
    {%- do _declare_landing_table(relation, source) -%}
    select
        {{ _csv_text(source) if source.format == 'csv' else 'make_valid_utf8(value)' }} as record,
        _metadata.file_path as file_uri,
        _metadata.file_size as file_size,
        _metadata.file_modification_time as file_modified_at,
        _metadata.file_block_start as block_start,
        monotonically_increasing_id() as position
    from {{ relation }}
    where {{ _is_one_of(files) }}
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

{#- The exact text of a CSV record: `raw` holds it where the record has more or fewer fields than one. A single field comes
    without its quotes; it had some if it could not have stood without them. -#}
{%- macro _csv_text(source) -%}
{%- set quote = sql_literal(source.options.quote) -%}
{%- set needs_quotes = modules.re.escape(source.options.sep) ~ '|' ~ modules.re.escape(source.options.quote) ~ '|\\r|\\n' -%}
{%- set content = 'first_field' -%}
{%- if source.options.escape != source.options.quote -%}
    {%- set escape = sql_literal(source.options.escape) -%}
    {%- set content = 'replace(' ~ content ~ ', ' ~ escape ~ ', concat(' ~ escape ~ ', ' ~ escape ~ '))' -%}
{%- endif -%}
{%- set content = 'replace(' ~ content ~ ', ' ~ quote ~ ', ' ~ sql_literal(source.options.escape ~ source.options.quote) ~ ')' -%}
case
            when raw is not null then raw
            when first_field is null then {{ sql_literal(source.options.quote ~ source.options.quote) }}
            when first_field rlike {{ sql_literal(needs_quotes) }} then concat({{ quote }}, {{ content }}, {{ quote }})
            else first_field
        end
{%- endmacro -%}
