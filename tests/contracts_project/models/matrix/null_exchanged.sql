{{ config(incremental_strategy='replace_where') }}
select {{ 'cast(null as int)' if var('broken') else 1 }} as id, 2 as amount
where {{ rebuild_when_changed() }}
