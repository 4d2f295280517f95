{{ config(incremental_strategy='merge', unique_key='id') }}
select id, case when id > {{ 1 if var('broken') else 3 }} then -2 else 2 end as amount
from values (1), (2), (3) as numbers(id)
