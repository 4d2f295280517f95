{{ config(incremental_strategy='merge', unique_key='id') }}
select {{ 'cast(null as int)' if var('broken') else 1 }} as id, 2 as amount
