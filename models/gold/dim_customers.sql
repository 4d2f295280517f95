with changes as (
    select * from {{ ref('silver_customer_changes') }}
    where {{ touched('customer_id', [ref('silver_customer_changes')]) }}
),

periods as (
    select
        *,
        lead(updated_at) over (partition by customer_id order by sequence) as valid_to
    from changes
),

final as (
    select
        customer_id,
        sequence,
        status,
        email,
        country,
        updated_at as valid_from,
        valid_to,
        valid_to is null as is_current
    from periods
    where operation <> 'delete'
)

select * from final
