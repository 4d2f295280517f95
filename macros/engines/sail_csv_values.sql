{#- What _csv_values gives on Spark, from the same bytes. Sail's from_csv stops at a record of another length, so the fields are told by
    a regular expression, as Spark's parser tells them: an unclosed quote reaches to the end of the file; text behind a
    closing quote belongs to the field, quotes and all; a quote inside an unquoted field is a character like any other. -#}
{%- macro sail_csv_values(lines, source) -%}
{%- set separator = source.options.sep -%}
fielded as (
    select
        *,
        regexp_extract_all(
            concat({{ sql_literal(separator) }}, record),
            {{ sql_literal(modules.re.escape(separator) ~ '(' ~ sail_csv_field(separator) ~ ')') }},
            1
        ) as raw_values
    from {{ lines }}
),

valued as (
    select
        *,
        case when size(raw_values) > {{ source.max_columns }} then -1 else size(raw_values) end as field_count,
        transform(
            raw_values,
            field -> case
                when field rlike '^"([^"]|"")*"$' then nullif(replace(substring(field, 2, length(field) - 2), '""', '"'), '')
                else nullif(field, '')
            end
        ) as field_values,
        element_at(raw_values, -1) rlike '^"[^"]*(""[^"]*)*$' as is_unclosed
    from fielded
)
{%- endmacro -%}
