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
        try_cast(feed.sequence as bigint) as sequence,
        feed.operation as operation,
        feed.status as status,
        feed.email as email,
        feed.country as country,
        try_to_timestamp(feed.updated_at, 'yyyy-MM-dd HH:mm:ss') as updated_at,
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
        *,
        {{ violated_rules() }} as violated_rules
    from typed
)

select * from judged
