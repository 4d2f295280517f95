with bronze as (
    select * from {{ ref('bronze_marketplace_orders') }}
),

-- a rate serves for a week; the rates are those to GBP
currencies as (
    select
        currency,
        min(rate_date) as first_date,
        date_add(max(rate_date), 7) as last_date
    from {{ ref('exchange_rates') }}
    group by 1
    union all
    select
        'GBP' as currency,
        date '0001-01-01' as first_date,
        date '9999-12-31' as last_date
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
        {{ non_blank('feed.id') }} as order_id,
        try_cast(feed.rev as int) as revision,
        {{ plain_id('feed.buyer.ref') }} as buyer_id,
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
