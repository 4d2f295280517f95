{#- Files of a source that bronze has not ingested, oldest first: a listing that reads no content, less the ledger.
    A file that has another size than at its ingest stops the build, is left alone, or is a new file, as the source declares.
    `file_uri` is how Spark names the file (percent-encoded), `source_file` its plain path below the landing root. -#}
{%- macro list_new_files(source) -%}
    {%- set listed = run_query(_list_files_sql(source)).rows -%}
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

{%- macro _list_files_sql(source) -%}
    {%- if engine() == 'sail' -%}
        {{ _new_among(source, _sail_listing(source)) }}
    {%- else -%}
        {%- do _assert_names_are_read() -%}
        {#- A folder that does not exist yet is an empty one, below a root that does exist: the handlers catch just that error. -#}
        begin
            declare exit handler for path_not_found
            begin
                declare exit handler for path_not_found
                begin
                    select
                        raise_error({{ sql_literal(_no_landing_root()) }}) as file_uri, '' as source_file, 0 as file_size,
                        '' as file_modified_at, 0 as known_size;
                end;
                select '' as file_uri, '' as source_file, 0 as file_size, '' as file_modified_at, 0 as known_size
                from binaryFile.`{{ landing_root() | replace('`', '``') }}` with (recursiveFileLookup = 'true')
                where false;
            end;
            {{ _new_among(source, _listing(source)) }};
        end
    {%- endif -%}
{%- endmacro -%}

{%- macro _new_among(source, listing) -%}
    select
        listed.file_uri,
        listed.source_file,
        listed.file_size,
        cast(listed.file_modified_at as string) as file_modified_at,
        ledger.file_size as known_size
    from ({{ listing }}) as listed
    left join (
        select source_file, max_by(file_size, batch_id) as file_size
        from {{ file_ledger() }}
        where source = '{{ source.name }}'
        group by source_file
    ) as ledger
        on listed.source_file = ledger.source_file
    where ledger.source_file is null or ledger.file_size <> listed.file_size
    order by listed.file_modified_at, listed.source_file
{%- endmacro -%}

{#- The folder under any case of its name, for a file system that tells them apart. -#}
{%- macro _listing(source) -%}
    {%- set letters = [] -%}
    {%- for letter in source.path -%}
        {%- do letters.append('[' ~ letter | lower ~ letter | upper ~ ']' if letter | lower != letter | upper else letter) -%}
    {%- endfor -%}
    select file_uri, {{ _in_declared_folder('source_file', source) }} as source_file, file_size, file_modified_at
    from (
        select
            _metadata.file_path as file_uri,
            {{ source_file_of('_metadata.file_path') }} as source_file,
            length as file_size,
            modificationTime as file_modified_at
        from binaryFile.`{{ (landing_root() ~ '/' ~ letters | join) | replace('`', '``') }}` with (recursiveFileLookup = 'true')
    )
    where not {{ _is_left_alone('source_file', source) }}
{%- endmacro -%}

{#- A file without any byte is not listed, as Spark does not list it either. -#}
{%- macro _sail_listing(source) -%}
    select file_uri, {{ _in_declared_folder('source_file', source) }} as source_file, file_size, file_modified_at
    from (
        select
            file_path as file_uri,
            {{ source_file_of('file_path') }} as source_file,
            file_size,
            cast(file_modified_at as timestamp) as file_modified_at
        from (
            select case when problem is null then file_path else raise_error(problem) end as file_path, file_size, file_modified_at
            from {{ sail_source('landing_files', landing_root() ~ '#' ~ source.path) }}
            where file_size > 0 or problem is not null
        )
    )
    where not {{ _is_left_alone('source_file', source) }}
{%- endmacro -%}

{#- Not yet complete, or no data: what somebody hid by its name, and what programs write while they upload, download or edit. -#}
{%- macro _is_left_alone(source_file, source) -%}
    {%- set endings = [
        'filepart', 'part', 'partial', 'tmp', 'temp', 'crdownload', 'download', 'opdownload', 'upload', 'uploading', 'writing', 'inprogress',
        'incomplete', 'aria2', 'swp', 'swo', 'swx',
    ] -%}
    substring({{ source_file }}, {{ source.path | length + 1 }})
        rlike {{ sql_literal('(?i)/([._]|~[$])|([.](' ~ endings | join('|') ~ ')|[.]_COPYING_|~)(/|\\z)') }}
{%- endmacro -%}

{#- Orders/ is not orders/: whoever wrote it would wait for its files. -#}
{%- macro _in_declared_folder(source_file, source) -%}
    case
        when startswith({{ source_file }}, {{ sql_literal(source.path ~ '/') }}) then {{ source_file }}
        else raise_error(concat(
            {{ sql_literal('Source ' ~ source.name ~ ' is declared with the folder ' ~ source.path ~ ', and there is ') }}, {{ source_file }},
            {{ sql_literal(
                ': upper and lower case count. Move its files to ' ~ source.path ~ ', or declare the other name as meta.path in models/landing.yml.'
            ) }}
        ))
    end
{%- endmacro -%}

{%- macro _no_landing_root() -%}
    {{- return(
        'The landing root ' ~ landing_root() ~ ' does not exist. Set MEDALLION_LANDING, or the var landing_root, to the folder that holds one folder for each source'
        ~ (' (~ is not expanded: write the whole path)' if '~' in landing_root() else '') ~ ', or create it.'
    ) -}}
{%- endmacro -%}

{#- Java takes the form of file names from the locale, and passes over those that it cannot write in it. -#}
{%- macro _assert_names_are_read() -%}
    {%- if target.host == 'local' and landing_root().startswith('/') -%}
        {%- set encoding = run_query("select java_method('java.lang.System', 'getProperty', 'sun.jnu.encoding')").rows[0][0] -%}
        {%- if encoding | upper | replace('-', '') != 'UTF8' -%}
            {{- exceptions.raise_compiler_error(
                'Java reads names of files as ' ~ encoding ~ ' under this locale, and would pass over files whose names have other characters. '
                ~ 'Set LC_ALL=C.UTF-8, or another locale with UTF-8, and build again.'
            ) -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}
