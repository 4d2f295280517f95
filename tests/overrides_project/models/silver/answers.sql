{#- What the helper macros of dbt say with the overrides (ours) and without (upstream). -#}
{%- set orders = api.Relation.create(schema='silver', identifier='orders') -%}
select
    'safe_cast' as question,
    {{ sql_literal(dbt.safe_cast("'abc'", 'int') | trim) }} as ours,
    {{ sql_literal(dbt.spark__safe_cast("'abc'", 'int') | trim) }} as upstream
union all
select 'staging', '{{ make_temp_relation(orders) }}', '{{ dbt.spark__make_temp_relation(orders, '__dbt_tmp') }}'
