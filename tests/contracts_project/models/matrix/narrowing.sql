select 1 as id, {{ 'cast(2 as bigint)' if var('broken') else 2 }} as amount
