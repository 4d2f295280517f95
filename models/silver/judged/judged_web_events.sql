with bronze as (
    select * from {{ ref('bronze_web_events') }}
),

event_types as (
    select * from {{ ref('event_types') }}
),

parsed as (
    select
        *,
        {{ json_fields(
            'record',
            'event_id string, user_id string, event_type string, raw_time string, page string, page_url string,
            product_id string, session struct<session_id: string, referrer: string>'
        ) }} as event
    from bronze
),

typed as (
    select
        {{ plain_id('event.event_id') }} as event_id,
        {{ plain_id('event.user_id') }} as user_id,
        {{ plain_text('event.event_type') }} as event_type,
        -- the feed renamed page to page_url
        coalesce(event.page, event.page_url) as page,
        {{ plain_id('event.product_id') }} as product_id,
        {{ plain_id('event.session.session_id') }} as session_id,
        event.session.referrer as referrer,
        {{ to_time('event.raw_time') }} as event_at,
        md5(record) as record_hash,
        unreadable_reason,
        record,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from parsed
),

judged as (
    select
        typed.*,
        {{ violated_rules() }} as violated_rules
    from typed
    -- a rule, in YAML, reads the joined table
    left join event_types on typed.event_type = event_types.event_type -- noqa: ST11
)

select * from judged
