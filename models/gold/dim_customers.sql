with changes as (
    select * from {{ ref('silver_customer_changes') }}
    where {{ touched('customer_id') }}
),

-- the feed's clock may go back, but no version begins before its predecessor
begun as (
    select
        *,
        max(updated_at) over (partition by customer_id order by sequence) as valid_from
    from changes
),

periods as (
    select
        *,
        lead(valid_from) over (partition by customer_id order by sequence) as valid_to
    from begun
),

final as (
    select
        customer_id,
        sequence,
        status,
        {{ mask('email', 'partial') }} as email,
        country,
        valid_from,
        valid_to,
        valid_to is null as is_current
    from periods
    where operation <> 'delete' and (valid_to is null or valid_to > valid_from)
)

select * from final
