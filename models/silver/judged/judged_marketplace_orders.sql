with bronze as (
    select * from {{ ref('bronze_marketplace_orders') }}
),

currencies as (
    select distinct currency from {{ ref('exchange_rates') }}
    union all
    select 'GBP' as currency
),

parsed as (
    select
        *,
        {{ json_fields(
            'record',
            'id string, rev string, placed_at string, currency string, buyer struct<ref: string, country: string>,
            lines array<struct<no: string, sku: string, qty: string, price: string>>'
        ) }} as feed
    from bronze
),

typed as (
    select
        {{ plain_id('feed.id') }} as order_id,
        {{ to_whole('feed.rev') }} as revision,
        {{ plain_id('feed.buyer.ref') }} as buyer_id,
        {{ plain_text('feed.buyer.country') }} as country,
        {{ plain_text('feed.currency') }} as currency,
        -- a line of quantity 0 was removed
        filter(
            transform(
                feed.lines,
                line -> struct(
                    {{ to_whole('line.no') }} as line_number,
                    {{ plain_id('line.sku') }} as product_id,
                    {{ to_whole('line.qty') }} as quantity,
                    {{ to_money('line.price') }} as unit_price
                )
            ),
            line -> line.quantity is null or line.quantity <> 0
        ) as lines,
        {{ to_time('feed.placed_at') }} as placed_at,
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
        size(lines) = 0 as is_cancelled
    from typed
),

judged as (
    select
        flagged.*,
        {{ violated_rules() }} as violated_rules
    from flagged
    -- a rule, in YAML, reads the joined table
    left join currencies on flagged.currency = currencies.currency -- noqa: ST11
)

select * from judged
