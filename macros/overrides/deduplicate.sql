{#-
    What upstream does: dbt_utils.deduplicate finds the winning rows again by a natural join, which on Spark loses every row
    that has a NULL in any column (dbt-labs/dbt-utils#621, #713, #814, #824).
    Here: the row number itself decides. Reached from dbt_utils by the search order under `dispatch:` in dbt_project.yml.
    Can go when: dbt_utils has a version for Spark without the natural join.
-#}
{%- macro spark__deduplicate(relation, partition_by, order_by) -%}
    select * except (__row_number)
    from (
        select
            *,
            row_number() over (partition by {{ partition_by }} order by {{ order_by }}) as __row_number
        from {{ relation }}
    )
    where __row_number = 1
{%- endmacro -%}
