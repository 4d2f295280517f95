{#- What the YAML declares about a source, with defaults, as one dict. -#}
{%- macro landing_source(relation) -%}
    {%- for node in graph.sources.values() if node.identifier == relation.identifier and node.schema == relation.schema -%}
        {%- set meta = node.config.meta or node.meta -%}
        {%- if meta.get('format') not in ['json', 'csv'] -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.format is '" ~ meta.get('format') ~ "'; declare json (JSON lines) or csv."
            ) -}}
        {%- endif -%}
        {%- if meta.get('when_changed', 'fail') not in ['fail', 'ignore', 'new_version'] -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.when_changed is '" ~ meta['when_changed'] ~ "'; declare fail, ignore or new_version."
            ) -}}
        {%- endif -%}
        {%- set columns = [] -%}
        {%- set required = [] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append(sql_literal(column.name)) -%}
            {%- if not column.config.meta.get('is_optional', false) -%}{%- do required.append(sql_literal(column.name)) -%}{%- endif -%}
        {%- endfor -%}
        {%- set path = meta.get('path', node.name).strip('/') -%}
        {{- return({
            'name': node.name,
            'format': meta['format'],
            'path': path,
            'folder': landing_root() ~ '/' ~ path,
            'options': _reader_options(node.name, meta),
            'encodings': _encodings(node.name, meta),
            'max_columns': meta.get('max_columns', 100),
            'when_changed': meta.get('when_changed', 'fail'),
            'columns': columns,
            'required': required,
        }) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(relation ~ " is not declared as a source in models/landing.yml.") -}}
{%- endmacro -%}

{#- The options of a CSV source, with defaults. -#}
{%- macro _reader_options(source_name, meta) -%}
    {%- set declared = meta.get('options') or {} -%}
    {%- set known = ['sep', 'quote', 'escape', 'encoding'] if meta['format'] == 'csv' else [] -%}
    {%- set options = {} -%}
    {%- for name, value in declared.items() -%}
        {%- if name not in known or (name != 'encoding' and (value is not string or not value or (name != 'sep' and value | length > 1))) -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": the option " ~ name ~ " = '" ~ value ~ "' cannot be used. A CSV source can declare sep and encoding, and"
                ~ " quote and escape of one character; a JSON source no option. Correct meta.options in models/landing.yml."
            ) -}}
        {%- elif name == 'sep' and value | length > 1 and not on_engine('takes_long_separators') -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": Sail reads a separator of one character, not '" ~ value ~ "'. Build this source on Spark: --target local."
            ) -}}
        {%- elif name != 'encoding' -%}
            {%- do options.update({name: value}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if meta['format'] == 'json' -%}
        {{- return({}) -}}
    {%- endif -%}
    {%- set quote = options.get('quote', '"') -%}
    {{- return(dict({'sep': ',', 'quote': quote, 'escape': quote}, **options)) -}}
{%- endmacro -%}

{#- The encodings that a source's files may have, in the order in which they are tried. -#}
{%- macro _encodings(source_name, meta) -%}
    {%- set declared = (meta.get('options') or {}).get('encoding', 'utf-8') -%}
    {%- set encodings = [] -%}
    {%- for encoding in ([declared] if declared is string else declared) -%}
        {%- do encodings.append(encoding | string | lower | replace('_', '-')) -%}
    {%- endfor -%}
    {%- set unknown = encodings | reject('in', ['utf-8', 'windows-1252', 'iso-8859-1']) | list -%}
    {%- if unknown or not encodings -%}
        {{- exceptions.raise_compiler_error(
            "Source " ~ source_name ~ ": the encoding '" ~ unknown | join(', ') ~ "' is not supported. Declare utf-8, windows-1252, iso-8859-1, or a list of them"
            ~ " that is tried in order for each file, in meta.options of models/landing.yml."
        ) -}}
    {%- endif -%}
    {{- return(encodings) -}}
{%- endmacro -%}

{#- Files of a source that bronze has not ingested, oldest first: a listing that reads no content, minus the ledger. A file whose size differs
    from its size at ingest stops the build, is ignored, or is a new file, as the source declares. `file_uri` is Spark's percent-encoded
    name of the file, `source_file` its plain path below the landing root. -#}
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
            what ~ ('They are ignored' if source.when_changed == 'ignore' else 'They are read again') ~ ', as when_changed says.'
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
    {%- set no_rows = "'' as file_uri, '' as source_file, 0 as file_size, '' as file_modified_at, 0 as known_size" -%}
    {{- on_engine('or_no_files', _new_among(source), no_rows, _no_landing_root()) -}}
{%- endmacro -%}

{%- macro _new_among(source) -%}
    select
        listed.file_uri,
        listed.source_file,
        listed.file_size,
        cast(listed.file_modified_at as string) as file_modified_at,
        ledger.file_size as known_size
    from (
        select file_uri, {{ _in_declared_folder('source_file', source) }} as source_file, file_size, file_modified_at
        from (
            select file_uri, {{ source_file_of('path') }} as source_file, file_size, file_modified_at
            from ({{ on_engine('listing', source) }}) as there
        ) as there
        where not {{ _is_left_alone('source_file', source) }}
    ) as listed
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

{#- Incomplete or not data: hidden names, and names that programs use while they upload, download or edit. The Python of `medallion has-new`
    follows this macro. -#}
{%- macro _is_left_alone(source_file, source) -%}
    {%- set endings = [] -%}
    {%- for ending in var('unfinished_endings') -%}{%- do endings.append(modules.re.escape(ending)) -%}{%- endfor -%}
    substring({{ source_file }}, {{ source.path | length + 1 }}) rlike {{ sql_literal('(?i)/([._]|~[$])|(' ~ endings | join('|') ~ ')(/|\\z)') }}
{%- endmacro -%}

{#- Orders/ is not orders/: its producer would wait in vain. -#}
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
        'The landing root ' ~ landing_root() ~ ' does not exist' ~ (' where the server runs' if not lake_is_local()) ~ '. Set MEDALLION_LANDING, or the var landing_root, to the folder that holds one folder for each source'
        ~ (' (~ is not expanded: write the whole path)' if '~' in landing_root() else '') ~ ', or create it.'
    ) -}}
{%- endmacro -%}

{#- The path of a file below the landing root, from its plain absolute path. -#}
{%- macro source_file_of(path) -%}
    {%- set root = sql_literal(landing_root() ~ '/') -%}
    case
        when instr({{ path }}, {{ root }}) > 0
            then substring({{ path }}, instr({{ path }}, {{ root }}) + length({{ root }}))
        else raise_error(concat('The file ', {{ path }}, ' is not below the landing root ', {{ root }}))
    end
{%- endmacro -%}
