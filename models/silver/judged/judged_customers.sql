with bronze as (
    select * from {{ ref('bronze_customers') }}
),

parsed as (
    select
        *,
        {{ json_fields(
            'record',
            'operation string, sequence string, customer_id string, status string, email string, country string,
            updated_at string'
        ) }} as feed
    from bronze
),

typed as (
    select
        {{ plain_id('feed.customer_id') }} as customer_id,
        {{ to_whole('feed.sequence', 'bigint') }} as sequence,
        {{ plain_text('feed.operation') }} as operation,
        {{ plain_text('feed.status') }} as status,
        {{ plain_text('feed.email') }} as email,
        {{ plain_text('feed.country') }} as country,
        {{ to_time('feed.updated_at') }} as updated_at,
        md5(record) as record_hash,
        unreadable_reason,
        record,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from parsed
),

flagged as (
    select
        *,
        coalesce(operation = 'delete', false) as is_delete
    from typed
),

judged as (
    select
        *,
        {{ violated_rules() }} as violated_rules
    from flagged
)

select * from judged
