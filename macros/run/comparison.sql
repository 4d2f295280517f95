{#- A SELECT of one row that says how the rows of a table differ from those that it would have if they were computed again: `row_count` and
    `rebuilt_count`; keys that are missing in the table, that it has in excess, and whose rows differ; and the least of these keys as an
    example. Equal rows are counted, so a doubled one differs. Both arguments can follow FROM. -#}
{%- macro compared(table, rebuilt, key, columns) -%}
    {%- set names = (key + columns) | unique | join(', ') -%}
    select
        coalesce(sum(held), 0) as row_count,
        coalesce(sum(computed), 0) as rebuilt_count,
        count_if(held = 0) as missing_count,
        count_if(computed = 0) as extra_count,
        count_if(held > 0 and computed > 0 and not is_same) as different_count,
        min(case when not is_same then {{ _key_text(key) }} end) as example
    from (
        select {{ key | join(', ') }}, sum(held) as held, sum(computed) as computed, min(held = computed) as is_same
        from (
            select {{ names }}, sum(is_held) as held, sum(1 - is_held) as computed
            from (
                select {{ names }}, 1 as is_held from {{ table }} as living
                union all
                select {{ names }}, 0 as is_held from {{ rebuilt }} as rebuilt
            ) as both_tables
            group by {{ names }}
        ) as counted_rows
        group by {{ key | join(', ') }}
    ) as counted_keys
{%- endmacro -%}

{%- macro _key_text(key) -%}
    {%- set texts = [] -%}
    {%- for name in key -%}{%- do texts.append("coalesce(cast(" ~ name ~ " as string), 'null')") -%}{%- endfor -%}
    {{- return("concat_ws(', ', " ~ texts | join(', ') ~ ')') -}}
{%- endmacro -%}

{#- Columns of a row that say through which record it came, and not what it says: of equal records, an incremental table keeps the first that
    arrived, and one that is computed at once the first by file. -#}
{%- macro lineage_columns() -%}
    {{- return(['batch_id', 'first_batch_id', 'version_batch_id', 'source_file', 'record_number', 'ingested_at']) -}}
{%- endmacro -%}
