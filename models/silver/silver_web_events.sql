{{ config(
    unique_key='event_id',
    event_time='activity_date',
    merge_prune={'column': 'activity_date', 'slack_days': 7},
    newest_by=['event_at', 'record_hash'],
    ledger={'source': 'web_events'},
) }}

-- depends_on: {{ ref('quarantine_web_events') }}
with judged as (
    select * from {{ ref('judged_web_events') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_web_events')) }}
),

-- if an event is sent again with other content, the latest wins, in whatever order they arrive
deduplicated as (
    {{ latest('judged') }}
),

final as (
    select
        event_id,
        user_id,
        session_id,
        product_id,
        event_type,
        page,
        referrer,
        event_at,
        cast(event_at as date) as activity_date,
        record_hash,
        source_file,
        record_number,
        batch_id,
        batch_id as first_batch_id,
        batch_id as version_batch_id,
        ingested_at
    from deduplicated
)

select * from final
