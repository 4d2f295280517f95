{#- JSON lines: one record per line, numbered by line; blank lines are ignored. -#}
{%- macro json_records(contents, source) -%}
{{ landing_texts(contents, source) }},

cut as (
    select
        *,
        case when kind is not null then array(substring(text, 1, 1000)) else split(text, '\\r\\n|\\n|\\r') end as lines
    from texts
),

headed as (
    select
        *,
        coalesce(head, get(filter(lines, line -> not {{ is_blank('line') }}), 0)) as first_line
    from cut
),

judged_files as (
    select
        *,
        case
            when kind is not null then kind
            -- one value over several lines; a value that ends on its line is judged as a record
            when first_line rlike '^[ \\t]*\\[' and {{ _is_malformed('first_line') }} then 'json_array'
            when first_line rlike '^[ \\t]*[{][ \\t]*\\z' then 'json_over_several_lines'
        end as file_problem
    from headed
),

exploded as (
    select
        file_uri, file_size, file_modified_at, first_position, encoding, file_problem, position, line
    from judged_files
    lateral view posexplode(lines) as position, line
),

records as (
    select
        *,
        first_position + position + 1 as record_number,
        {{ as_in_file('line') }} as record,
        case
            when file_problem is not null then file_problem
            when {{ is_not_utf8('line') }} then 'not_utf8'
            when {{ _is_malformed('line') }} then 'malformed_json'
            when line rlike '^[ \\t]*\\[[ \\t]*[{]' then 'json_array'
            when not line rlike '^[ \\t]*[{]' then 'not_a_json_object'
        end as unreadable_reason
    from exploded
    where not {{ is_blank('line') }}
)
{%- endmacro -%}

{#- Both parsers stop after the first value, whatever follows, even a second record: two frames around the text show whether that was all. -#}
{%- macro _is_malformed(record) -%}
    (
                try_parse_json(concat('{"record":', {{ record }}, '}')) is null
                or coalesce(json_array_length(concat('[', {{ record }}, ']')), 0) <> 1
            )
{%- endmacro -%}
