select 1 as id, {{ 'cast(null as int)' if var('broken') else 2 }} as amount
