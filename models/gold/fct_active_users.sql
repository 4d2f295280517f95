with customers as (
    select * from {{ ref('silver_customers') }}
    where
        status = 'active'
        and {{ rebuild_when_changed() }}
),

activity as (
    select
        user_id,
        sum(event_count) as event_count,
        count(*) as active_days,
        min(activity_date) as first_activity_date,
        max(activity_date) as last_activity_date
    from {{ ref('daily_user_activity') }}
    group by 1
),

final as (
    select
        customers.customer_id as user_id,
        customers.country,
        coalesce(activity.event_count, 0) as event_count,
        coalesce(activity.active_days, 0) as active_days,
        activity.first_activity_date,
        activity.last_activity_date
    from customers
    left join activity on customers.customer_id = activity.user_id
)

select * from final
