with bronze as (
    select * from {{ ref('bronze_orders') }}
),

typed as (
    select
        {{ non_blank("fields['InvoiceNo']") }} as invoice_no,
        {{ non_blank("fields['StockCode']") }} as product_id,
        fields['Description'] as description,
        try_cast(trim(fields['Quantity']) as int) as quantity,
        {{ to_money("fields['UnitPrice']") }} as unit_price,
        try_to_timestamp(fields['InvoiceDate'], 'yyyy-MM-dd HH:mm:ss') as invoiced_at,
        {{ plain_id("fields['CustomerID']") }} as customer_id,
        {{ non_blank("fields['Country']") }} as country,
        unreadable_reason,
        record,
        source_file,
        record_number,
        batch_id,
        ingested_at
    from bronze
),

-- the feed has no line number: a line is the same when all its eight values are
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
