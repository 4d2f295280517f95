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
        * except (record),
        -- a byte-order mark belongs to the file, not to its first record
        case when record_number = 1 then ltrim('\ufeff', record) else record end as record
    from numbered
),

records as (
    select
        *,
        case
            when try_parse_json(record) is null then 'malformed_json'
            when left(ltrim(record), 1) <> '{' then 'not_a_json_object'
        end as unreadable_reason
    from stripped
    where trim(record) <> ''
)
{%- endmacro -%}
