with activity as (
    select * from {{ ref('daily_user_activity') }}
    where {{ touched('activity_date', [ref('daily_user_activity')]) }}
),

daily as (
    select
        activity_date,
        count(*) as visitor_count,
        count_if(product_view_count > 0) as product_viewer_count,
        count_if(add_to_cart_count > 0) as cart_user_count,
        count_if(checkout_count > 0) as checkout_user_count,
        count_if(purchase_count > 0) as buyer_count
    from activity
    group by 1
),

final as (
    select
        *,
        cast(try_divide(cast(buyer_count as decimal(18, 0)), visitor_count) as decimal(9, 6)) as conversion_rate
    from daily
)

select * from final
