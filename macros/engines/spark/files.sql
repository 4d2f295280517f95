{#- The text of some files: one row per file, or per 10,000 lines of a file that is too large to be one text (is_by_line). In `content`, bytes
    that are not UTF-8 have become U+FFFD, and a U+FFFD of the file itself U+FDD0, so that the two can be told apart; `single_bytes` then
    has each byte as the character of that number. -#}
{%- macro spark__landing_contents(source, files, later_header) -%}
    {%- set whole = [] -%}
    {%- set large = [] -%}
    {%- for file in files -%}
        {%- set is_packed = modules.re.search('(?i)[.](gz|bz2|deflate|lz4|snappy|zst)$', file['source_file']) -%}
        {%- set is_large = file['size'] * (8 if is_packed else 1) > whole_file_bytes() | int and not source.is_whole -%}
        {%- do (large if is_large else whole).append(file) -%}
    {%- endfor -%}
    {%- if whole -%}
        {{ _spark_whole_files(source, whole) }}
    {%- endif -%}
    {%- if whole and large %}
    union all
    {% endif -%}
    {%- if large -%}
        {{ _spark_lines(source, large, later_header) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro _spark_whole_files(source, files) -%}
    select
        file_uri,
        file_size,
        file_modified_at,
        cast(0 as bigint) as first_position,
        false as is_by_line,
        content,
        single_bytes,
        is_utf8,
        {{ is_mixed('content') }} as is_mixed,
        {{ is_windows_1252('single_bytes') }} as is_windows_1252,
        cast(null as string) as head,
        cast(null as string) as head_bytes,
        cast(null as bigint) as later_header_at
    from (
        select
            _metadata.file_path as file_uri,
            _metadata.file_size as file_size,
            _metadata.file_modification_time as file_modified_at,
            {{ _spark_text('value') }}
        from {{ _spark_text_files(source, {'wholetext': 'true'}) }}
        where {{ _is_one_of(files) }}
    )
{%- endmacro -%}

{#- A large file, line by line, of any size: what must be known about the whole file comes from window functions. -#}
{%- macro _spark_lines(source, files, later_header) -%}
    {%- set file = 'over (partition by file_uri)' -%}
    {%- set in_order = 'over (partition by file_uri order by block_start, id)' -%}
    select
        file_uri,
        file_size,
        file_modified_at,
        cast(min(position) as bigint) as first_position,
        true as is_by_line,
        array_join(transform(array_sort(collect_list(struct(position, content))), line -> line.content), '\n') as content,
        array_join(transform(array_sort(collect_list(struct(position, single_bytes))), line -> line.single_bytes), '\n') as single_bytes,
        is_utf8,
        is_mixed,
        is_windows_1252,
        head,
        head_bytes,
        later_header_at
    from (
        select
            file_uri, file_size, file_modified_at, position, content, single_bytes, is_utf8, head, head_bytes,
            max({{ is_mixed('content') }}) {{ file }} as is_mixed,
            min({{ is_windows_1252('single_bytes') }}) {{ file }} as is_windows_1252,
            {{ later_header }} as later_header_at
        from (
            select
                file_uri, file_size, file_modified_at, position, content, single_bytes, is_utf8,
                first_value(case when not {{ is_blank('content') }} then content end) ignore nulls over (partition by file_uri order by position) as head,
                first_value(case when not {{ is_blank('content') }} then single_bytes end) ignore nulls over (partition by file_uri order by position) as head_bytes
            from (
                select
                    *,
                    row_number() {{ in_order }} - 1 as position,
                    case when is_utf8 then value else make_valid_utf8(replace(value, '\ufffd', '\ufdd0')) end as content,
                    decode(cast(value as binary), 'ISO-8859-1') as single_bytes
                from (
                    select *, min(is_valid_utf8(value)) {{ file }} as is_utf8
                    from (
                        select
                            _metadata.file_path as file_uri,
                            _metadata.file_size as file_size,
                            _metadata.file_modification_time as file_modified_at,
                            _metadata.file_block_start as block_start,
                            monotonically_increasing_id() as id,
                            value
                        from {{ _spark_text_files(source) }}
                        where {{ _is_one_of(files) }}
                    )
                    {%- if source.format == 'csv' %}
                    where not {{ is_blank('value') }}
                    {%- endif %}
                )
            )
        )
    )
    group by
        file_uri, file_size, file_modified_at, is_utf8, is_mixed, is_windows_1252, head, head_bytes, later_header_at,
        floor(position / 10000)
{%- endmacro -%}

{%- macro _spark_text(value) -%}
is_valid_utf8({{ value }}) as is_utf8,
            case
                when is_valid_utf8({{ value }}) then {{ value }} else make_valid_utf8(replace({{ value }}, '\ufffd', '\ufdd0'))
            end as content,
            case when not is_valid_utf8({{ value }}) then decode(cast({{ value }} as binary), 'ISO-8859-1') end as single_bytes
{%- endmacro -%}

{%- macro _spark_text_files(source, options={}) -%}
    {%- set literals = [] -%}
    {%- for name, value in dict(_reader_settings(), **options).items() -%}
        {%- do literals.append(sql_literal(name) ~ ' = ' ~ sql_literal(value)) -%}
    {%- endfor -%}
    {{- return('text.`' ~ source.folder | replace('`', '``') ~ '` with (' ~ literals | join(', ') ~ ')') -}}
{%- endmacro -%}

{#- A local file is read without looking for its checksum file, which Hadoop cannot name if the name contains a colon. Hadoop's cache would
    return the reader that the tables of the lake use. -#}
{%- macro _reader_settings() -%}
    {{- return({
        'recursiveFileLookup': 'true',
        'fs.file.impl': 'org.apache.hadoop.fs.RawLocalFileSystem',
        'fs.file.impl.disable.cache': 'true',
    }) -}}
{%- endmacro -%}

{#- Literals, so that Spark opens only these files. -#}
{%- macro _is_one_of(files) -%}
    _metadata.file_path in (
        {%- for file in files %}
        {{ sql_literal(file['uri']) }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro -%}

{#- Spark reads at least one line from a file with any text. A gzip or bzip2 file of an empty text has none: gzip ends in its length, and
    bzip2 always has the same size. -#}
{%- macro spark__seen_files_sql(source, files) -%}
    {%- set folder = source.folder | replace('`', '``') -%}
    {%- set options = [] -%}
    {%- for name, value in _reader_settings().items() -%}{%- do options.append(sql_literal(name) ~ ' = ' ~ sql_literal(value)) -%}{%- endfor -%}
    select {{ spark__plain_path('file_uri') }} as path, max(file_size) as file_size
    from (
        select _metadata.file_path as file_uri, _metadata.file_size as file_size
        from text.`{{ folder }}` with ({{ options | join(', ') }})
        where {{ _is_one_of(files) }}
        union all
        select _metadata.file_path, length
        from binaryFile.`{{ folder }}` with ({{ options | join(', ') }})
        where {{ _is_one_of(files) }}
            and length < 1000
            and (hex(content) like '1F8B%00000000' or hex(content) like '425A68%' and length = 14)
    )
    group by file_uri
{%- endmacro -%}

{#- Files of a source, with their plain paths. Looks for the folder in any case of its letters, on a file system that tells them apart. -#}
{%- macro spark__listing(source) -%}
    {%- set letters = [] -%}
    {%- for letter in source.path -%}
        {%- do letters.append('[' ~ letter | lower ~ letter | upper ~ ']' if letter | lower != letter | upper else letter) -%}
    {%- endfor -%}
    select
        _metadata.file_path as file_uri,
        {{ spark__plain_path('_metadata.file_path') }} as path,
        length as file_size,
        modificationTime as file_modified_at
    from binaryFile.`{{ (landing_root() ~ '/' ~ letters | join) | replace('`', '``') }}` with (recursiveFileLookup = 'true')
{%- endmacro -%}

{#- The plain path from Spark's percent-encoded URI of a file; '+' is protected, because a URL decoder reads it as a space. -#}
{%- macro spark__plain_path(uri) -%}
    {{- return("url_decode(replace(" ~ uri ~ ", '+', '%2B'))") -}}
{%- endmacro -%}

{#- A query over a source's folder, or no rows if the folder does not exist but the root does: the handlers catch just that error. -#}
{%- macro spark__or_no_files(query, no_rows, no_root) -%}
    begin
        declare exit handler for path_not_found
        begin
            declare exit handler for path_not_found
            begin
                select raise_error({{ sql_literal(no_root) }}) as problem;
            end;
            select {{ no_rows }}
            from binaryFile.`{{ landing_root() | replace('`', '``') }}` with (recursiveFileLookup = 'true')
            where false;
        end;
        {{ query }};
    end
{%- endmacro -%}

{#- Java decodes file names by the locale, and skips those that it cannot represent. -#}
{%- macro spark__assert_names_are_read() -%}
    {%- if lake_is_local() and landing_root().startswith('/') -%}
        {%- set encoding = run_query("select java_method('java.lang.System', 'getProperty', 'sun.jnu.encoding')").rows[0][0] -%}
        {%- if encoding | upper | replace('-', '') != 'UTF8' -%}
            {{- exceptions.raise_compiler_error(
                'Java reads file names as ' ~ encoding ~ ' under this locale, and would skip files whose names have other characters. '
                ~ 'Set LC_ALL=C.UTF-8, or another UTF-8 locale, and build again.'
            ) -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro spark__takes_long_separators() -%}
    {{- return(true) -}}
{%- endmacro -%}

{#- What makes a repetition of a regular expression possessive. -#}
{%- macro spark__possessive() -%}
    {{- return('+') -}}
{%- endmacro -%}

{#- Flags of a declared pattern: a dot is any character, and \d, \s and \w go by Unicode, as in Rust. -#}
{%- macro spark__pattern_flags() -%}
    {{- return('(?sU)') -}}
{%- endmacro -%}

{#- Expression for the number of a row in its Parquet file. -#}
{%- macro spark__row_in_file() -%}
_metadata.row_index + 1
{%- endmacro -%}

{%- macro spark__row_as_json(row) -%}
to_json({{ row }}, map(
            'timestampFormat', 'yyyy-MM-dd\'T\'HH:mm:ss.SSSSSSXXX',
            'timestampNTZFormat', 'yyyy-MM-dd\'T\'HH:mm:ss.SSSSSS'
        ))
{%- endmacro -%}

{%- macro spark__assert_exact_json(source_file, column, type) -%}{%- endmacro -%}
