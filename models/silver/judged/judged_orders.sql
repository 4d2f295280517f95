with bronze as (
    select * from {{ ref('bronze_orders') }}
),

typed as (
    select
        {{ plain_id("fields['InvoiceNo']") }} as invoice_no,
        {{ plain_id("fields['StockCode']") }} as product_id,
        {{ plain_text("fields['Description']") }} as description,
        {{ to_whole("fields['Quantity']") }} as quantity,
        {{ to_money("fields['UnitPrice']") }} as unit_price,
        {{ to_time("fields['InvoiceDate']") }} as invoiced_at,
        {{ plain_id("fields['CustomerID']") }} as customer_id,
        {{ plain_text("fields['Country']") }} as country,
        unreadable_reason,
        record,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from bronze
),

-- the feed has no line number: lines are equal if all eight values are equal
keyed as (
    select
        {{ row_key([
            'invoice_no', 'product_id', 'description', 'quantity', 'invoiced_at', 'unit_price', 'customer_id', 'country',
        ]) }} as order_line_id,
        *
    from typed
),

judged as (
    select
        *,
        {{ violated_rules() }} as violated_rules
    from keyed
)

select * from judged
