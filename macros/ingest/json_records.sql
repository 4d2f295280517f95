{#- JSON lines: one record a line, numbered by line; blank lines are no records. -#}
{%- macro json_records(lines) -%}
numbered as (
    select
        *,
        row_number() over (partition by file_uri order by block_start, position) as record_number
    from {{ lines }}
),

stripped as (
    select
        file_uri,
        file_size,
        file_modified_at,
        record_number,
        -- a byte-order mark belongs to the file, not to its first record
        case when record_number = 1 then ltrim('\ufeff', record) else record end as record
    from numbered
),

records as (
    select
        *,
        case
            when {{ is_not_utf8('record') }} then 'not_utf8'
            when {{ _is_malformed('record') }} then 'malformed_json'
            when left(ltrim(record), 1) <> '{' then 'not_a_json_object'
        end as unreadable_reason
    from stripped
    where trim(record) <> ''
)
{%- endmacro -%}

{#- Both parsers stop where the first value ends, whatever follows, a second record even: two frames show whether that was all. -#}
{%- macro _is_malformed(record) -%}
    try_parse_json(concat('{"record":', {{ record }}, '}')) is null
                or coalesce(json_array_length(concat('[', {{ record }}, ']')), 0) <> 1
{%- endmacro -%}
