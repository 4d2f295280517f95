{{ config(
    unique_key='order_line_id',
    event_time='sales_date',
    merge_prune={'column': 'sales_date', 'slack_days': 0},
    ledger={'source': 'orders'},
) }}

-- depends_on: {{ ref('quarantine_orders') }}
with judged as (
    select * from {{ ref('judged_orders') }}
    where size(violated_rules) = 0 and {{ new_batches(ref('bronze_orders')) }}
),

deduplicated as (
    {{ latest('judged') }}
),

final as (
    select
        order_line_id,
        invoice_no,
        product_id,
        description,
        customer_id,
        country,
        quantity,
        unit_price,
        cast(quantity * unit_price as decimal(28, 4)) as net_amount,
        invoice_no like 'C%' as is_cancellation,
        customer_id is null as is_guest,
        invoiced_at,
        cast(invoiced_at as date) as sales_date,
        make_date(year(invoiced_at), month(invoiced_at), 1) as sales_month,
        source_file,
        record_number,
        batch_id,
        batch_id as first_batch_id,
        ingested_at
    from deduplicated
)

select * from final
