{#- The text of some files: one row per file, or per 10,000 lines of a file that is too large to be held as one text (is_by_line).
    Bytes that are not UTF-8 have become U+FFFD in `content`, and a U+FFFD of the file itself U+FDD0, so that the two can be told
    apart; `single_bytes` then holds each byte as the character of that number. -#}
{%- macro landing_contents(source, files) -%}
    {{- _sail_landing_contents(source, files) if engine() == 'sail' else _spark_landing_contents(source, files) -}}
{%- endmacro -%}

{%- macro _sail_landing_contents(source, files) -%}
    select
        file_path as file_uri,
        file_size,
        cast(file_modified_at as timestamp) as file_modified_at,
        cast(0 as bigint) as first_position,
        {{ _size_when_read('file_path', 'file_size') }} > {{ _whole_file_bytes() }} as is_by_line,
        case when problem is null then content else raise_error(problem) end as content,
        single_bytes,
        is_utf8,
        {{ _is_mixed('content') }} as is_mixed,
        {{ _is_windows_1252('single_bytes') }} as is_windows_1252,
        cast(null as string) as head,
        cast(null as string) as head_bytes,
        cast(null as bigint) as later_header_at
    from {{ sail_contents(source, files) }}
{%- endmacro -%}

{%- macro _spark_landing_contents(source, files) -%}
    {%- set whole = [] -%}
    {%- set large = [] -%}
    {%- for file in files -%}
        {%- set is_packed = modules.re.search('(?i)[.](gz|bz2|deflate|lz4|snappy|zst)$', file['source_file']) -%}
        {%- do (large if file['size'] * (8 if is_packed else 1) > _whole_file_bytes() | int else whole).append(file) -%}
    {%- endfor -%}
    {%- if whole -%}
        {{ _spark_whole_files(source, whole) }}
    {%- endif -%}
    {%- if whole and large %}
    union all
    {% endif -%}
    {%- if large -%}
        {{ _spark_lines(source, large) }}
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
        {{ _is_mixed('content') }} as is_mixed,
        {{ _is_windows_1252('single_bytes') }} as is_windows_1252,
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

{#- A large file line by line, whatever its size: what must be known of the whole file comes from windows. -#}
{%- macro _spark_lines(source, files) -%}
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
            max({{ _is_mixed('content') }}) {{ file }} as is_mixed,
            min({{ _is_windows_1252('single_bytes') }}) {{ file }} as is_windows_1252,
            {{ _later_header_over_lines(source) if source.format == 'csv' else 'cast(null as bigint)' }} as later_header_at
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

{#- Each core holds several copies of a file while it reads it as one text. -#}
{%- macro _whole_file_bytes() -%}
    {{- return(var('whole_file_bytes', 32000000)) -}}
{%- endmacro -%}

{%- macro _size_when_read(file, size) -%}
    {{ size }} * case when {{ file }} rlike '(?i)[.](gz|bz2)$' then 8 else 1 end
{%- endmacro -%}
