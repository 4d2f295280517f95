select 1 as id, 2 as amount, 'x y' as name
from {{ ref('fed') }}
where {{ new_batches(ref('fed')) }}
