with versions as (
    select
        customer_id,
        sequence,
        valid_to,
        lead(sequence) over (partition by customer_id order by valid_from) as next_sequence,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_valid_from
    from {{ ref('dim_customers') }}
),

deletes as (
    select * from {{ ref('silver_customer_changes') }}
    where operation = 'delete'
)

select versions.*
from versions
left join deletes
    on
        versions.customer_id = deletes.customer_id
        and versions.sequence < deletes.sequence
        and versions.next_sequence > deletes.sequence
where versions.valid_to < versions.next_valid_from and deletes.customer_id is null
