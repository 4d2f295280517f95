{#- The formats of landing files, each with its options; `has_fields` if bronze keeps the values by name, `is_whole` if a file cannot be read
    in parts. -#}
{%- macro formats() -%}
    {{- return({
        'json': {'options': []},
        'json_document': {'options': ['records'], 'is_whole': true},
        'csv': {'options': ['sep', 'quote', 'escape', 'encoding', 'skip_lines', 'comment'], 'has_fields': true},
        'text': {'options': ['pattern', 'encoding'], 'has_fields': true},
        'parquet': {'options': [], 'is_whole': true, 'most_files': 200},
    }) -}}
{%- endmacro -%}

{#- What the YAML declares about a source, with defaults, as one dict. -#}
{%- macro landing_source(relation) -%}
    {%- for node in graph.sources.values() if node.identifier == relation.identifier and node.schema == relation.schema -%}
        {%- set meta = node.config.meta or node.meta -%}
        {%- if meta.get('format') not in formats() -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.format is '" ~ meta.get('format') ~ "'; declare one of " ~ formats() | join(', ') ~ " (json: JSON lines)."
            ) -}}
        {%- endif -%}
        {%- if meta.get('when_changed', 'fail') not in ['fail', 'ignore', 'new_version'] -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.when_changed is '" ~ meta['when_changed'] ~ "'; declare fail, ignore or new_version."
            ) -}}
        {%- endif -%}
        {%- set options = _reader_options(node.name, meta) -%}
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
            'has_fields': formats()[meta['format']].get('has_fields', false),
            'is_whole': formats()[meta['format']].get('is_whole', false) or 'skip_lines' in options or 'comment' in options,
            'path': path,
            'folder': landing_root() ~ '/' ~ path,
            'options': options,
            'encodings': _encodings(node.name, meta),
            'max_columns': meta.get('max_columns', 100),
            'when_changed': meta.get('when_changed', 'fail'),
            'take': _name_patterns(node.name, meta, 'take'),
            'leave': _name_patterns(node.name, meta, 'leave'),
            'columns': columns,
            'required': required,
        }) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(relation ~ " is not declared as a source in models/landing.yml.") -}}
{%- endmacro -%}

{#- The options of a source, with defaults. -#}
{%- macro _reader_options(source_name, meta) -%}
    {%- set declared = meta.get('options') or {} -%}
    {%- set known = formats()[meta['format']].options -%}
    {%- set options = {} -%}
    {%- for name, value in declared.items() -%}
        {%- if name not in known or (name != 'encoding' and not _can_be(name, value)) -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": the option " ~ name ~ " = '" ~ value ~ "' cannot be used. A source of format " ~ meta['format'] ~ " can declare "
                ~ (known | join(', ') or 'no option') ~ "; docs/sources.md says what they may be. Correct meta.options in models/landing.yml."
            ) -}}
        {%- elif name == 'sep' and value | length > 1 and not on_engine('takes_long_separators') -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": Sail reads a separator of one character, not '" ~ value ~ "'. Build this source on Spark: --target local."
            ) -}}
        {%- elif name != 'encoding' -%}
            {%- do options.update({name: value}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if meta['format'] == 'text' and 'pattern' not in options -%}
        {{- exceptions.raise_compiler_error(
            "Source " ~ source_name ~ ": text needs meta.options.pattern in models/landing.yml: common, combined, or a regular expression with named groups."
        ) -}}
    {%- endif -%}
    {%- if meta['format'] == 'csv' -%}
        {%- set quote = options.get('quote', '"') -%}
        {{- return(dict({'sep': ',', 'quote': quote, 'escape': quote}, **options)) -}}
    {%- endif -%}
    {{- return(options) -}}
{%- endmacro -%}

{%- macro _can_be(name, value) -%}
    {%- if name == 'skip_lines' -%}
        {{- return(value is integer and 0 < value <= 1000) -}}
    {%- elif value is not string or not value -%}
        {{- return(false) -}}
    {%- elif name in ['quote', 'escape', 'comment'] -%}
        {{- return(value | length == 1) -}}
    {%- elif name == 'records' -%}
        {{- return(modules.re.fullmatch('[$]([.][^.\\[\\]*\'"\\\\\\s]+)+', value) is not none) -}}
    {%- elif name == 'pattern' -%}
        {%- set names = text_pattern(value).names -%}
        {{- return(names != [] and names | unique | list == names) -}}
    {%- endif -%}
    {{- return(true) -}}
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
    {%- set most = [var('max_files_per_batch'), formats()[source.format].get('most_files', var('max_files_per_batch'))] | min -%}
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
        where not ({{ _is_left_alone('source_file', source) }})
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
    {%- set below = 'substring(' ~ source_file ~ ', ' ~ (source.path | length + 1) ~ ')' -%}
    {{ below }} rlike {{ sql_literal('(?i)/([._]|~[$])|(' ~ endings | join('|') ~ ')(/|\\z)') }}
    {%- if source.take %} or not {{ below }} rlike {{ sql_literal('^' ~ source.take) }}{% endif %}
    {%- if source.leave %} or {{ below }} rlike {{ sql_literal('^' ~ source.leave) }}{% endif %}
{%- endmacro -%}

{#- The names of files that a source takes or leaves as one regular expression for what stands below its folder, from patterns with * and ?;
    a pattern without a slash is for the name alone, in any subfolder. -#}
{%- macro _name_patterns(source_name, meta, setting) -%}
    {%- set patterns = [] -%}
    {%- for pattern in ([meta[setting]] if meta.get(setting) is string else meta.get(setting) or []) -%}
        {%- if pattern is not string or not pattern or pattern.startswith('/') -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": meta." ~ setting ~ " has '" ~ pattern ~ "'; declare names such as '*.csv' or paths below its folder such as"
                ~ " 'daily/*.csv', in models/landing.yml."
            ) -}}
        {%- endif -%}
        {%- do patterns.append(
            ('(?:.*/)?' if '/' not in pattern else '') ~ modules.re.escape(pattern).replace('\\*', '[^/]*').replace('\\?', '[^/]')
        ) -%}
    {%- endfor -%}
    {{- return('(?s)/(?:' ~ patterns | join('|') ~ ')\\z' if patterns else none) -}}
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
