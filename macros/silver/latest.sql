{#- The newest row of each key, by the model's config unless given, so that MERGE and batch use the same order. Of equal records the first
    by file and number stays. -#}
{%- macro latest(relation, unique_key=none, newest_by=none) -%}
    {%- set order_by = [] -%}
    {%- for column in newest_by or config.get('newest_by') or [] -%}{%- do order_by.append(column ~ ' desc') -%}{%- endfor -%}
    {{- deduplicate(relation, unique_key or config.get('unique_key'), order_by + ['source_file', 'record_number']) -}}
{%- endmacro -%}

{#- One row per key: the first by `order_by`, which must be a total order over rows that differ. NULL keys are one group. The rank
    stays as a column that the caller leaves out, because not every engine knows `* except`.
    Replaces dbt_utils.deduplicate, which loses rows with a NULL in any column on Spark (dbt-labs/dbt-utils#814). -#}
{%- macro deduplicate(relation, key, order_by) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ ([key] if key is string else key) | join(', ') }}
                order by {{ order_by | join(', ') }}
            ) as _rank
        from {{ relation }}
    )
    where _rank = 1
{%- endmacro -%}
