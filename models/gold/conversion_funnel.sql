with events as (
    select * from {{ ref('silver_web_events') }}
    where {{ touched('activity_date') }}
),

daily as (
    select
        activity_date,
        count(distinct user_id) as visitor_count,
        count(distinct case when event_type = 'product_view' then user_id end) as product_viewer_count,
        count(distinct case when event_type = 'add_to_cart' then user_id end) as cart_user_count,
        count(distinct case when event_type = 'checkout' then user_id end) as checkout_user_count,
        count(distinct case when event_type = 'purchase' then user_id end) as buyer_count
    from events
    group by 1
),

final as (
    select
        *,
        cast(cast(buyer_count as decimal(28, 10)) / visitor_count as decimal(9, 6)) as conversion_rate
    from daily
)

select * from final
