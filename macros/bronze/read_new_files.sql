{#- The whole of a bronze model: the records of the files of a source that were not ingested before. -#}
{%- macro read_new_files(relation) -%}
    {%- set window = ask_for_window({'kind': 'files', 'source': relation, 'asked_by': "read_new_files('" ~ relation.identifier ~ "')"}) -%}
    {%- if window != 'true' -%}
select * from {{ window }} as landed
    {%- elif execute -%}
{{ no_records(landing_source(relation)) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro records_of_files(source, files, batch_id) -%}
with files_of_batch as (
    {{ on_engine('landing_contents', source, files, later_header_over_lines(source) if source.format == 'csv' else 'cast(null as bigint)') }}
),

{{ csv_records('files_of_batch', source) if source.format == 'csv' else json_records('files_of_batch', source) }}

select
    record,
    {%- if source.format == 'csv' %}
    fields,
    {%- endif %}
    unreadable_reason,
    {{ source_file_of(on_engine('plain_path', 'file_uri')) }} as source_file,
    cast(record_number as bigint) as record_number,
    file_size,
    file_modified_at,
    cast({{ batch_id }} as bigint) as batch_id,
    current_timestamp() as ingested_at
from records
{%- endmacro -%}

{%- macro no_records(source) -%}
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
