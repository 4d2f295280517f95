select 1 as id, 2 as amount, 'x y' as name {{ write_plan({'skip': var('nothing_new')}) }}
