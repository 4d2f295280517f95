{#- Files of a source that bronze has not ingested, oldest first: a listing that reads no content, less the ledger.
    A file that has another size than at its ingest stops the build, is left alone, or is a new file, as the source declares.
    `file_uri` is how Spark names the file (percent-encoded), `source_file` its plain path below the landing root. -#}
{%- macro list_new_files(source) -%}
    {%- set listed = run_query(on_engine('list_files_sql', source)).rows -%}
    {%- set changed = [] -%}
    {%- set files = [] -%}
    {%- for file in listed -%}
        {%- if file['known_size'] is not none -%}
            {%- do changed.append(file['source_file'] ~ ' (was ' ~ file['known_size'] ~ ' bytes, is ' ~ file['file_size'] ~ ')') -%}
        {%- endif -%}
        {%- if file['known_size'] is none or source.when_changed == 'new_version' -%}
            {%- do files.append({
                'uri': file['file_uri'], 'source_file': file['source_file'],
                'size': file['file_size'] | int, 'modified_at': file['file_modified_at'],
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set what = 'Files of source ' ~ source.name ~ ' changed after they were ingested: ' ~ changed[:10] | join(', ') ~ '. ' -%}
    {%- if changed and source.when_changed == 'fail' -%}
        {{- exceptions.raise_compiler_error(
            what ~ 'Nothing was written. Put the old file back and deliver the new content under a new name, or declare when_changed.'
        ) -}}
    {%- elif changed -%}
        {%- do exceptions.warn(
            what ~ ('They are left alone' if source.when_changed == 'ignore' else 'They are read again') ~ ', as when_changed has it.'
        ) -%}
    {%- endif -%}
    {%- set most = var('max_files_per_batch') -%}
    {%- if files | length > most -%}
        {%- do exceptions.warn(
            source.name ~ ': ' ~ files | length ~ ' new files; this run takes the oldest ' ~ most ~ ', run again for the rest.'
        ) -%}
    {%- endif -%}
    {{- return(files[:most]) -}}
{%- endmacro -%}

{%- macro new_among(source, listing) -%}
    select
        listed.file_uri,
        listed.source_file,
        listed.file_size,
        cast(listed.file_modified_at as string) as file_modified_at,
        ledger.file_size as known_size
    from ({{ listing }}) as listed
    left join (
        select source_file, max_by(file_size, batch_id) as file_size
        from {{ by_place(file_ledger()) }}
        where source = '{{ source.name }}'
        group by source_file
    ) as ledger
        on listed.source_file = ledger.source_file
    where ledger.source_file is null or ledger.file_size <> listed.file_size
    order by listed.file_modified_at, listed.source_file
{%- endmacro -%}
