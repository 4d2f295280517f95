{#- CSV by header name, file by file: the first record of a file names the fields of the others, so that a reordered,
    missing or additional column never puts a value under the wrong name. -#}
{%- macro csv_records(lines, source) -%}
{{ sail_csv_values(lines, source) if engine() == 'sail' else _csv_values(lines, source) }},

numbered as (
    select
        *,
        row_number() over (partition by file_uri order by position) - 1 as record_number,
        first_value(field_values) over (partition by file_uri order by position) as header_values,
        first_value(field_count) over (partition by file_uri order by position) as header_count
    from valued
),

trimmed as (
    select
        *,
        transform(
            slice(header_values, 1, greatest(header_count, 0)),
            (name, i) -> coalesce(nullif(trim(replace(name, '\ufeff', '')), ''), concat('column_', i + 1))
        ) as header_names
    from numbered
),

named as (
    select
        *,
        -- a name that a header repeats gets its place as a suffix, so that no value is lost
        transform(
            header_names,
            (name, i) -> case when array_position(header_names, name) = i + 1 then name else concat(name, '_', i + 1) end
        ) as field_names
    from trimmed
),

headed as (
    select
        *,
        case
            when header_count < 1 or size(array_distinct(field_names)) < header_count then 'unreadable_header'
            when {{ is_not_utf8("array_join(header_names, '')") }} then 'not_utf8'
            {%- if source.columns %}
            when not arrays_overlap(header_names, array({{ source.columns | join(', ') }})) then 'unknown_header'
            {%- endif %}
        end as header_problem
    from named
),

judged as (
    select
        *,
        case
            when is_unclosed then 'unclosed_quote'
            when header_problem is not null then header_problem
            when {{ is_not_utf8('record') }} then 'not_utf8'
            when field_count < 0 or field_count > header_count then 'too_many_fields'
            when field_count < header_count then 'too_few_fields'
        end as unreadable_reason
    from headed
    -- a header of no use may be a record
    where record_number > 0 or is_unclosed or header_problem is not null
),

records as (
    select
        *,
        case when unreadable_reason is null then
            map_from_arrays(field_names, slice(field_values, 1, header_count))
        end as fields
    from judged
)
{%- endmacro -%}

{#- The values of each record, how many they are (-1: more than max_columns, or unknown), and whether a quote was never closed.
    An end mark behind the record shows where the parser saw it end: its place is the number of fields. -#}
{%- macro _csv_values(lines, source) -%}
{%- set separator = source.options.sep -%}
{%- set columns = [] -%}
{%- for number in range(source.max_columns + 1) -%}{%- do columns.append('c' ~ number) -%}{%- endfor -%}
{%- set end_mark = '\\u001e' -%}
parsed as (
    select
        *,
        from_csv(
            concat(record, {{ sql_literal(separator) }}, '{{ end_mark }}'),
            '{{ columns | join(' string, ') }} string',
            map(
                'sep', {{ sql_literal(separator) }},
                'quote', {{ sql_literal(source.options.quote) }},
                'escape', {{ sql_literal(source.options.escape) }}
            )
        ) as parsed
    from {{ lines }}
),

listed as (
    select
        * except (parsed),
        array(parsed.{{ columns | join(', parsed.') }}) as all_values
    from parsed
),

counted as (
    select
        *,
        cast(array_position(all_values, '{{ end_mark }}') as int) - 1 as field_count
    from listed
),

-- without the empty places behind the end mark: a window carries the values along with every record
valued as (
    select
        * except (all_values),
        case when field_count < 0 then all_values else slice(all_values, 1, field_count) end as field_values,
        field_count < 0 and exists(all_values, field -> field like '%{{ end_mark }}') as is_unclosed
    from counted
)
{%- endmacro -%}
