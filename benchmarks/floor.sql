-- The project's tables as a full recompute in plain Spark SQL; floor.py runs it, statement by statement.
-- Not here, because nothing of it can be computed again from files: ops.file_ledger and the snapshot exchange_rate_history.
-- A section runs when all the sources that its head names have files.

-- [web_events]
create or replace table silver.event_types using delta as
select event_type, description
from csv.`{seeds}/event_types.csv` with (header = 'true');

create or replace table bronze.bronze_web_events using delta as
select value as record, _metadata.file_path as source_file, current_timestamp() as ingested_at
from text.`{landing}/web_events` with (recursiveFileLookup = 'true')
where trim(value) <> '';

create or replace temporary view judged_web_events as
with typed as (
    select
        nullif(trim(event.event_id), '') as event_id,
        nullif(trim(event.user_id), '') as user_id,
        nullif(trim(event.event_type), '') as event_type,
        coalesce(event.page, event.page_url) as page,
        event.product_id,
        event.session.session_id,
        event.session.referrer,
        try_to_timestamp(event.raw_time, 'yyyy-MM-dd HH:mm:ss') as event_at,
        event is null or event._corrupt_record is not null as is_broken,
        record,
        source_file
    from (
        select
            *,
            from_json(
                record,
                'event_id string, user_id string, event_type string, raw_time string, page string, page_url string,
                product_id string, session struct<session_id: string, referrer: string>, _corrupt_record string'
            ) as event
        from bronze.bronze_web_events
    )
)
select
    typed.*,
    array_compact(array(
        case when is_broken then 'malformed_json' end,
        case when event_id is null then 'event_id_present' end,
        case when user_id is null then 'user_id_present' end,
        case when event_at is null then 'event_time_valid' end,
        case when event_types.event_type is null then 'event_type_known' end
    )) as violated_rules
from typed
left join silver.event_types on typed.event_type = event_types.event_type;

create or replace table silver.quarantine_web_events using delta as
select record, source_file, violated_rules from judged_web_events where size(violated_rules) > 0;

create or replace table silver.silver_web_events using delta as
select
    event_id, user_id, session_id, product_id, event_type, page, referrer, event_at,
    cast(event_at as date) as activity_date
from judged_web_events
where size(violated_rules) = 0
qualify row_number() over (partition by event_id order by event_at desc, md5(record) desc) = 1;

create or replace table gold.daily_user_activity using delta as
select
    user_id,
    activity_date,
    count(*) as event_count,
    count_if(event_type = 'page_view') as page_view_count,
    count_if(event_type = 'product_view') as product_view_count,
    count_if(event_type = 'search') as search_count,
    count_if(event_type = 'add_to_cart') as add_to_cart_count,
    count_if(event_type = 'checkout') as checkout_count,
    count_if(event_type = 'purchase') as purchase_count
from silver.silver_web_events
group by all;

create or replace table gold.conversion_funnel using delta as
select
    activity_date,
    count(*) as visitor_count,
    count_if(product_view_count > 0) as product_viewer_count,
    count_if(add_to_cart_count > 0) as cart_user_count,
    count_if(checkout_count > 0) as checkout_user_count,
    count_if(purchase_count > 0) as buyer_count,
    cast(
        try_divide(cast(count_if(purchase_count > 0) as decimal(18, 0)), count(*)) as decimal(9, 6)
    ) as conversion_rate
from gold.daily_user_activity
group by all;

-- [orders]
create or replace temporary view marketplace_sales as
select
    cast(null as string) as order_id, cast(null as date) as sales_date, cast(null as int) as quantity,
    cast(null as decimal(28, 4)) as net_revenue
where false;

-- [marketplace_orders]
create or replace table silver.exchange_rates using delta as
select
    cast(rate_date as date) as rate_date,
    currency,
    cast(gbp_per_unit as decimal(18, 8)) as gbp_per_unit
from csv.`{seeds}/exchange_rates.csv` with (header = 'true');

create or replace temporary view silver_exchange_rates as
with spans as (
    select
        *,
        lead(rate_date) over (partition by currency order by rate_date) as next_date
    from silver.exchange_rates
),
days as (
    select
        currency,
        explode(sequence(
            rate_date,
            least(date_add(rate_date, 7), coalesce(date_sub(next_date, 1), date_add(rate_date, 7)))
        )) as rate_date,
        gbp_per_unit as rate
    from spans
)
select * from days
union all
select distinct 'GBP', rate_date, cast(1 as decimal(18, 8)) from days;

create or replace table bronze.bronze_marketplace_orders using delta as
select value as record, _metadata.file_path as source_file, current_timestamp() as ingested_at
from text.`{landing}/marketplace_orders` with (recursiveFileLookup = 'true')
where trim(value) <> '';

create or replace temporary view judged_marketplace_orders as
with typed as (
    select
        nullif(trim(feed.id), '') as order_id,
        try_cast(feed.rev as int) as revision,
        nullif(trim(feed.buyer.ref), '') as buyer_id,
        nullif(trim(feed.buyer.country), '') as country,
        nullif(trim(feed.currency), '') as currency,
        coalesce(transform(feed.lines, line -> struct(
            try_cast(line.no as int) as line_number,
            nullif(trim(line.sku), '') as product_id,
            try_cast(line.qty as int) as quantity,
            case when trim(line.price) rlike '^-?[0-9]+([.][0-9]{1,4})?$'
                then try_cast(trim(line.price) as decimal(18, 4)) end as unit_price
        )), array()) as lines,
        try_to_timestamp(feed.placed_at, "yyyy-MM-dd'T'HH:mm:ss'Z'") as placed_at,
        feed is null or feed._corrupt_record is not null as is_broken,
        record,
        source_file
    from (
        select
            *,
            from_json(
                record,
                'id string, rev string, placed_at string, currency string, buyer struct<ref: string, country: string>,
                lines array<struct<no: string, sku: string, qty: string, price: string>>, _corrupt_record string'
            ) as feed
        from bronze.bronze_marketplace_orders
    )
)
select
    *,
    array_compact(array(
        case when is_broken then 'malformed_json' end,
        case when order_id is null then 'order_id_present' end,
        case when revision is null then 'revision_valid' end,
        case when placed_at is null then 'placed_at_valid' end,
        case when not coalesce(currency in ('EUR', 'USD', 'GBP'), false) then 'currency_known' end,
        case when size(lines) = 0 then 'lines_present' end,
        case when exists(lines, line -> coalesce(line.quantity, 0) = 0) then 'line_quantities_valid' end,
        case when exists(lines, line -> coalesce(line.unit_price, -1) < 0) then 'line_prices_valid' end
    )) as violated_rules
from typed;

create or replace table silver.quarantine_marketplace_orders using delta as
select record, source_file, violated_rules from judged_marketplace_orders where size(violated_rules) > 0;

create or replace table silver.silver_marketplace_orders using delta as
select
    order_id, revision, buyer_id, country, currency, lines, placed_at,
    cast(placed_at as date) as sales_date
from judged_marketplace_orders
where size(violated_rules) = 0
qualify row_number() over (partition by order_id order by revision desc, md5(record) desc) = 1;

create or replace temporary view marketplace_sales as
select
    orders.order_id,
    orders.sales_date,
    orders.line.quantity,
    -- narrow types first: a product that needs more than 38 digits is rounded to 6 decimals before it is rounded to 4
    cast(round(
        cast(orders.line.quantity * orders.line.unit_price as decimal(20, 4))
        * cast(case when orders.currency = 'GBP' then 1 else rates.rate end as decimal(12, 8)), 4
    ) as decimal(28, 4)) as net_revenue
from (
    select order_id, currency, sales_date, explode(lines) as line from silver.silver_marketplace_orders
) as orders
left join silver_exchange_rates as rates
    on orders.sales_date = rates.rate_date and orders.currency = rates.currency;

-- [orders]
create or replace table silver.countries using delta as
select * from csv.`{seeds}/countries.csv` with (header = 'true');

create or replace table bronze.bronze_orders using delta as
select * except (record), current_timestamp() as ingested_at from landed_orders;

create or replace temporary view judged_orders as
with typed as (
    select
        nullif(trim(InvoiceNo), '') as invoice_no,
        nullif(trim(StockCode), '') as product_id,
        Description as description,
        try_cast(trim(Quantity) as int) as quantity,
        case when trim(UnitPrice) rlike '^-?[0-9]+([.][0-9]{1,4})?$'
            then try_cast(trim(UnitPrice) as decimal(18, 4)) end as unit_price,
        try_to_timestamp(InvoiceDate, 'yyyy-MM-dd HH:mm:ss') as invoiced_at,
        regexp_replace(nullif(trim(CustomerID), ''), '[.]0$', '') as customer_id,
        nullif(trim(Country), '') as country,
        _corrupt_record,
        source_file,
        coalesce(_corrupt_record, to_csv(struct(
            InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country
        ))) as record
    from bronze.bronze_orders
)
select
    *,
    array_compact(array(
        case when _corrupt_record is not null then 'wrong_number_of_fields' end,
        case when invoice_no is null then 'invoice_no_present' end,
        case when product_id is null then 'stock_code_present' end,
        case when quantity is null then 'quantity_valid' end,
        case when quantity = 0 then 'quantity_not_zero' end,
        case when abs(quantity) > 100000 then 'quantity_within_bounds' end,
        case when unit_price is null then 'unit_price_valid' end,
        case when unit_price < 0 then 'unit_price_not_negative' end,
        case when unit_price > 50000 then 'unit_price_within_bounds' end,
        case when invoiced_at is null then 'invoice_date_valid' end,
        case when customer_id not rlike '^[0-9]+$' then 'customer_id_valid' end
    )) as violated_rules
from typed;

create or replace table silver.quarantine_orders using delta as
select record, source_file, violated_rules from judged_orders where size(violated_rules) > 0;

create or replace table silver.silver_order_lines using delta as
select distinct
    invoice_no, product_id, description, customer_id, country, quantity, unit_price,
    cast(quantity * unit_price as decimal(28, 4)) as net_amount,
    invoice_no like 'C%' as is_cancellation,
    customer_id is null as is_guest,
    invoiced_at,
    cast(invoiced_at as date) as sales_date,
    cast(date_trunc('month', invoiced_at) as date) as sales_month
from judged_orders
where size(violated_rules) = 0;

create or replace table gold.daily_sales_by_product using delta as
select
    sales_date,
    product_id,
    sum(quantity) as units,
    sum(net_amount) as net_revenue,
    count(*) as order_line_count
from silver.silver_order_lines
group by all;

create or replace table gold.sales_by_region using delta as
select
    lines.sales_month,
    coalesce(countries.region, 'Unknown') as region,
    coalesce(lines.country, 'Unknown') as country,
    sum(lines.quantity) as units,
    sum(lines.net_amount) as net_revenue,
    count(*) as order_line_count,
    count_if(lines.is_guest) as guest_line_count
from silver.silver_order_lines as lines
left join silver.countries on lines.country = countries.country
group by all;

create or replace table gold.customer_lifetime_value using delta as
select
    customer_id,
    count(distinct case when not is_cancellation then invoice_no end) as order_count,
    sum(quantity) as units,
    sum(net_amount) as net_revenue,
    min(sales_date) as first_order_date,
    max(sales_date) as last_order_date
from silver.silver_order_lines
where not is_guest
group by all;

create or replace table gold.daily_global_sales using delta as
with both as (
    select
        sales_date,
        quantity,
        net_amount as shop_revenue,
        cast(0 as decimal(28, 4)) as marketplace_revenue,
        case when not is_cancellation then concat('shop ', invoice_no) end as order_key
    from silver.silver_order_lines
    union all
    select sales_date, quantity, cast(0 as decimal(28, 4)), net_revenue, concat('marketplace ', order_id)
    from marketplace_sales
)
select
    sales_date,
    sum(shop_revenue) as shop_revenue,
    sum(marketplace_revenue) as marketplace_revenue,
    cast(sum(shop_revenue + marketplace_revenue) as decimal(38, 4)) as net_revenue,
    sum(quantity) as units,
    count(distinct order_key) as order_count
from both
group by all;

-- [customers]
create or replace table bronze.bronze_customers using delta as
select value as record, _metadata.file_path as source_file, current_timestamp() as ingested_at
from text.`{landing}/customers` with (recursiveFileLookup = 'true')
where trim(value) <> '';

create or replace temporary view judged_customers as
with typed as (
    select
        nullif(trim(feed.customer_id), '') as customer_id,
        try_cast(feed.sequence as bigint) as sequence,
        feed.operation,
        feed.status,
        feed.email,
        feed.country,
        try_to_timestamp(feed.updated_at, 'yyyy-MM-dd HH:mm:ss') as updated_at,
        feed is null or feed._corrupt_record is not null as is_broken,
        record,
        source_file
    from (
        select
            *,
            from_json(
                record,
                'operation string, sequence string, customer_id string, status string, email string, country string,
                updated_at string, _corrupt_record string'
            ) as feed
        from bronze.bronze_customers
    )
)
select
    *,
    array_compact(array(
        case when is_broken then 'malformed_json' end,
        case when customer_id is null then 'customer_id_present' end,
        case when not coalesce(operation in ('insert', 'update', 'delete'), false) then 'operation_known' end,
        case when sequence is null then 'sequence_valid' end,
        case when updated_at is null then 'updated_at_valid' end,
        case when not coalesce(operation = 'delete' or status in ('active', 'inactive', 'closed'), false)
            then 'status_known' end
    )) as violated_rules
from typed;

create or replace table silver.quarantine_customers using delta as
select record, source_file, violated_rules from judged_customers where size(violated_rules) > 0;

create or replace table silver.silver_customer_changes using delta as
select customer_id, sequence, operation, status, email, country, updated_at
from judged_customers
where size(violated_rules) = 0
qualify row_number() over (partition by customer_id, sequence order by md5(record) desc) = 1;

create or replace table silver.silver_customers using delta as
select customer_id, sequence, status, email, country, updated_at
from (
    select *
    from silver.silver_customer_changes
    qualify row_number() over (partition by customer_id order by sequence desc) = 1
)
where operation <> 'delete';

create or replace table gold.dim_customers using delta as
select
    customer_id, sequence, status, regexp_replace(email, '(?s)^(.)[^@]*', '$1***') as email, country, valid_from, valid_to,
    valid_to is null as is_current
from (
    select *, lead(valid_from) over (partition by customer_id order by sequence) as valid_to
    from (
        select *, max(updated_at) over (partition by customer_id order by sequence) as valid_from
        from silver.silver_customer_changes
    )
)
where operation <> 'delete' and (valid_to is null or valid_to > valid_from);

-- [customers web_events]
create or replace table gold.fct_active_users using delta as
select
    customers.customer_id as user_id,
    customers.country,
    coalesce(sum(activity.event_count), 0) as event_count,
    count(activity.user_id) as active_days,
    min(activity.activity_date) as first_activity_date,
    max(activity.activity_date) as last_activity_date
from silver.silver_customers as customers
left join gold.daily_user_activity as activity on customers.customer_id = activity.user_id
where customers.status = 'active'
group by customers.customer_id, customers.country;

-- [products]
create or replace table bronze.bronze_products using delta as
select *, current_timestamp() as ingested_at from landed_products;

create or replace temporary view judged_products as
with typed as (
    select
        nullif(trim(product_id), '') as product_id,
        nullif(trim(name), '') as name,
        nullif(trim(category), '') as category,
        case when trim(list_price) rlike '^-?[0-9]+([.][0-9]{1,4})?$'
            then try_cast(trim(list_price) as decimal(18, 4)) end as list_price,
        try_to_timestamp(extracted_at, 'yyyy-MM-dd HH:mm:ss') as extracted_at,
        _corrupt_record,
        source_file,
        record
    from bronze.bronze_products
)
select
    *,
    array_compact(array(
        case when _corrupt_record is not null then 'wrong_number_of_fields' end,
        case when product_id is null then 'product_id_present' end,
        case when name is null then 'name_present' end,
        case when list_price is null then 'list_price_valid' end,
        case when list_price < 0 then 'list_price_not_negative' end,
        case when extracted_at is null then 'extracted_at_valid' end,
        case when extracted_at not between '2000-01-01' and '2099-12-31' then 'extracted_at_plausible' end
    )) as violated_rules
from typed;

create or replace table silver.quarantine_products using delta as
select record, source_file, violated_rules from judged_products where size(violated_rules) > 0;

create or replace table silver.silver_product_listings using delta as
select product_id, extracted_at, name, category, list_price
from judged_products
where size(violated_rules) = 0
qualify row_number() over (partition by product_id, extracted_at order by md5(record) desc) = 1;

create or replace table silver.silver_product_sightings using delta as
select distinct product_id, extracted_at
from judged_products
where product_id is not null and extracted_at is not null and _corrupt_record is null;

create or replace table silver.silver_products using delta as
select product_id, name, category, list_price, extracted_at
from silver.silver_product_listings
qualify row_number() over (partition by product_id order by extracted_at desc) = 1;

create or replace table gold.dim_products using delta as
select *, extracted_at = max(extracted_at) over () as is_active
from silver.silver_products;

create or replace table gold.product_history using delta as
with extracts as (
    select
        extracted_at,
        row_number() over (order by extracted_at) as extract_number,
        lead(extracted_at) over (order by extracted_at) as next_extracted_at
    from (select distinct extracted_at from silver.silver_product_sightings)
),
seen as (
    select
        *,
        max(listings.extracted_at) over (partition by product_id order by extracts.extract_number) as listed_at
    from silver.silver_product_sightings
    join extracts using (extracted_at)
    left join silver.silver_product_listings as listings using (product_id, extracted_at)
),
listed as (
    select
        seen.product_id, seen.extracted_at, next_extracted_at, listings.name, listings.category, listings.list_price,
        extract_number - row_number() over (
            partition by seen.product_id, listings.name, listings.category, listings.list_price order by extract_number
        ) as run_number
    from seen
    join silver.silver_product_listings as listings
        on seen.product_id = listings.product_id and seen.listed_at = listings.extracted_at
)
select
    product_id, name, category, list_price, min(extracted_at) as valid_from,
    max_by(next_extracted_at, extracted_at) as valid_to,
    max_by(next_extracted_at, extracted_at) is null as is_current
from listed
group by product_id, name, category, list_price, run_number;
