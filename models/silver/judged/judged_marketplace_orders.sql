with bronze as (
    select * from {{ ref('bronze_marketplace_orders') }}
),

currencies as (
    select currency from {{ ref('exchange_rates') }}
    union distinct
    select 'GBP' as currency
),

parsed as (
    select
        *,
        from_json(
            record,
            'id string, rev string, placed_at string, currency string, buyer struct<ref: string, country: string>,
            lines array<struct<no: string, sku: string, qty: string, price: string>>'
        ) as feed
    from bronze
),

typed as (
    select
        {{ non_blank('feed.id') }} as order_id,
        try_cast(feed.rev as int) as revision,
        {{ non_blank('feed.buyer.ref') }} as buyer_id,
        {{ non_blank('feed.buyer.country') }} as country,
        {{ non_blank('feed.currency') }} as currency,
        coalesce(
            transform(
                feed.lines,
                line -> struct(
                    try_cast(line.no as int) as line_number,
                    {{ non_blank('line.sku') }} as product_id,
                    try_cast(line.qty as int) as quantity,
                    {{ to_money('line.price') }} as unit_price
                )
            ),
            array()
        ) as lines,
        try_to_timestamp(feed.placed_at, "yyyy-MM-dd'T'HH:mm:ss'Z'") as placed_at,
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
    left join currencies on typed.currency = currencies.currency -- noqa: ST11
)

select * from judged
