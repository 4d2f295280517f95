with events as (
    select * from {{ ref('silver_web_events') }}
    where {{ touched('activity_date') }}
),

final as (
    select
        user_id,
        activity_date,
        count(*) as event_count,
        count_if(event_type = 'page_view') as page_view_count,
        count_if(event_type = 'product_view') as product_view_count,
        count_if(event_type = 'search') as search_count,
        count_if(event_type = 'add_to_cart') as add_to_cart_count,
        count_if(event_type = 'checkout') as checkout_count,
        count_if(event_type = 'purchase') as purchase_count
    from events
    group by 1, 2
)

select * from final
