select 1 as id{{ '' if var('broken') else ', 2 as amount' }}
