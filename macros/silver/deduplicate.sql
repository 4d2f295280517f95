{#- One row a key: the first by `order_by`, which must be a total order over rows that differ. NULL keys are one group. The rank
    stays as a column, for the caller to leave out: not every engine knows `* except`.
    Instead of dbt_utils.deduplicate, which loses rows with a NULL in any column on Spark (dbt-labs/dbt-utils#814). -#}
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
