{#- CTEs that end in `texts`: the contents of files, decoded, and the kind of a file that is not text. -#}
{%- macro landing_texts(contents, source) -%}
started as (
    select
        *,
        {{ _kind_of_file('substring(coalesce(head_bytes, head, single_bytes, content), 1, 100)') }} as kind
    from {{ contents }}
),

encoded as (
    select
        *,
        {{ _encoding(source.encodings) }} as encoding
    from started
),

decoded as (
    select
        *,
        {{ _decoded('content', 'single_bytes', source.encodings) }} as marked_text,
        {{ _decoded('head', 'head_bytes', source.encodings) }} as marked_head
    from encoded
),

texts as (
    select
        file_uri,
        file_size,
        file_modified_at,
        first_position,
        is_by_line,
        later_header_at,
        encoding,
        -- a byte-order mark belongs to the file, not to its first record
        {% set text = "case when first_position = 0 and startswith(marked_text, '\ufeff') then substring(marked_text, 2) else marked_text end" -%}
        {%- if source.options.skip_lines -%}
        case when kind is null then regexp_replace({{ text }}, '^(?:[^\\r\\n]*(?:\\r\\n|\\n|\\r|\\z)){{ '{' ~ source.options.skip_lines ~ '}' }}', '') else {{ text }} end as text,
        {%- else -%}
        {{ text }} as text,
        {%- endif %}
        case when startswith(marked_head, '\ufeff') then substring(marked_head, 2) else marked_head end as head,
        kind
    from decoded
)
{%- endmacro -%}

{#- The first declared encoding that fits all bytes of a file; NULL if none does. If some bytes beyond ASCII are UTF-8 and some are not, none
    fits: another encoding would misread the former. -#}
{%- macro _encoding(encodings) -%}
case
            when kind is not null then null
            {%- for encoding in encodings %}
            {%- if encoding == 'utf-8' %}
            when is_utf8 then 'utf-8'
            {%- else %}
            when {{ "not is_mixed" if 'utf-8' in encodings[:loop.index0] else 'true' }}
                {{- " and coalesce(is_windows_1252, true)" if encoding == 'windows-1252' }} then '{{ encoding }}'
            {%- endif %}
            {%- endfor %}
        end
{%- endmacro -%}

{%- macro _decoded(text, single_bytes, encodings) -%}
    {%- set bytes = 'coalesce(' ~ single_bytes ~ ", decode(encode(" ~ text ~ ", 'UTF-8'), 'ISO-8859-1'))" -%}
    {%- if encodings == ['utf-8'] -%}
        {{ text }}
    {%- else -%}
        case encoding
            {%- for encoding in encodings if encoding != 'utf-8' %}
            when '{{ encoding }}' then {{ _windows_1252(bytes) if encoding == 'windows-1252' else bytes }}
            {%- endfor %}
            else {{ text }}
        end
    {%- endif -%}
{%- endmacro -%}

{#- Windows-1252 has characters of its own for the bytes 80 to 9F, and none for five of them. -#}
{%- macro _windows_1252(single_bytes) -%}
    {%- set bytes = '\u0080\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008e'
        ~ '\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098\u0099\u009a\u009b\u009c\u009e\u009f' -%}
    translate({{ single_bytes }}, '{{ bytes }}', '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ')
{%- endmacro -%}

{#- Kind of a file that is not text, or another kind of text, by its first characters, with each byte as the character of that number. -#}
{%- macro _kind_of_file(start) -%}
case
            when file_uri rlike '(?i)[.]xls[xm]$' and {{ start }} rlike '^PK\\x03\\x04' then 'file_is_xlsx'
            {%- for kind, pattern in [
                ('file_is_zip', 'PK(\\x03\\x04|\\x05\\x06)'),
                ('file_is_parquet', 'PAR1[^ -~]'),
                ('file_is_gzip', '\\x1f\\x8b'),
                ('file_is_bzip2', 'BZh[1-9]1AY&SY'),
                ('file_is_zstd', '\\x28\\xb5\\x2f\\xfd'),
                ('file_is_xz', '\\xfd7zXZ\\x00'),
                ('file_is_7z', '7z\\xbc\\xaf\\x27\\x1c'),
                ('file_is_rar', 'Rar!\\x1a\\x07'),
                ('file_is_lz4', '\\x04\\x22M\\x18'),
                ('file_is_snappy', '\\xff\\x06\\x00\\x00sNaPpY'),
                ('file_is_orc', 'ORC[^ -~\\r\\n\\t]'),
                ('file_is_avro', 'Obj\\x01'),
                ('file_is_pdf', '%PDF-'),
                ('file_is_old_excel', '\\xd0\\xcf\\x11\\xe0\\xa1\\xb1\\x1a\\xe1'),
                ('file_is_sqlite', 'SQLite format 3\\x00'),
                ('file_is_utf16', '\\xff\\xfe|\\xfe\\xff|[^\\x00]\\x00[^\\x00]\\x00|\\x00[^\\x00]\\x00[^\\x00]'),
                ('file_is_html', '(?i)\\s*(<!doctype html|<html)'),
                ('file_is_xml', '(?i)\\s*<[?]xml'),
            ] %}
            when {{ start }} rlike {{ sql_literal('^(' ~ pattern ~ ')' if not pattern.startswith('(?i)') else '(?i)^(' ~ pattern[4:] ~ ')') }} then '{{ kind }}'
            {%- endfor %}
        end
{%- endmacro -%}

{#- Whether a record has bytes that are not in the encoding of its file; they have become U+FFFD. -#}
{%- macro is_not_utf8(text) -%}
    (encoding is null and instr({{ text }}, '\ufffd') > 0)
{%- endmacro -%}

{#- A record as it was in the file: a U+FFFD of the file is restored. -#}
{%- macro as_in_file(text) -%}
    case when encoding is null then replace({{ text }}, '\ufdd0', '\ufffd') else {{ text }} end
{%- endmacro -%}
