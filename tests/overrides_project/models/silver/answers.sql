{#- What the helper macros of dbt say with the overrides (ours) and without (upstream). -#}
{%- set hour = ["hour", "3 - 1", "'2026-01-01 00:00:00'"] -%}
{%- set orders = api.Relation.create(schema='silver', identifier='orders') -%}
select 'hour' as question, string({{ dbt.dateadd(*hour) }}) as ours, string({{ dbt.spark__dateadd(*hour) }}) as upstream
union all
select 'millisecond', string({{ dbt.dateadd('millisecond', 1500, "date'2026-01-01'") }}), string({{ dbt.spark__dateadd('millisecond', 1500, "date'2026-01-01'") }})
union all
select 'quarter', string({{ dbt.dateadd('quarter', -1, "date'2026-05-31'") }}), string({{ dbt.spark__dateadd('quarter', -1, "date'2026-05-31'") }})
union all
select 'letter', {{ dbt.split_part("'key=1&d=2'", "'d='", 2) }}, {{ dbt.spark__split_part("'key=1&d=2'", "'d='", 2) }}
union all
select 'negative', {{ dbt.split_part("'a.b.c'", "'.'", -1) }}, {{ dbt.spark__split_part("'a.b.c'", "'.'", -1) }}
union all
select 'safe_cast', {{ sql_literal(dbt.safe_cast("'abc'", 'int') | trim) }}, {{ sql_literal(dbt.spark__safe_cast("'abc'", 'int') | trim) }}
union all
select 'staging', '{{ make_temp_relation(orders) }}', '{{ dbt.spark__make_temp_relation(orders, '__dbt_tmp') }}'
