{{ config(incremental_strategy='replace_where') }}

with changes as (
    select * from {{ ref('silver_customer_changes') }}
    where {{ touched('customer_id') }}
),

latest as (
    {{ latest('changes', 'customer_id', ['sequence']) }}
),

final as (
    select
        customer_id,
        sequence,
        status,
        email,
        country,
        updated_at
    from latest
    where operation <> 'delete'
)

select * from final
