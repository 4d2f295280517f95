with sightings as (
    select * from {{ ref('int_product_sightings') }}
    where {{ rebuild_when_changed() }}
),

listings as (
    select * from {{ ref('silver_product_listings') }}
),

extracts as (
    select
        extract_at,
        row_number() over (order by extract_at) as extract_number,
        lead(extract_at) over (order by extract_at) as next_extract_at
    from (select distinct extract_at from sightings) as times
),

-- the last good listing of the product in each extract that contains it
last_listings as (
    select
        sightings.product_id,
        sightings.extract_at,
        max(listings.extracted_at) as extracted_at
    from sightings
    left join listings
        on sightings.product_id = listings.product_id and sightings.extracted_at = listings.extracted_at
    group by sightings.product_id, sightings.extract_at
),

-- a sighting without a good listing continues the last good one
seen as (
    select
        last_listings.product_id,
        extracts.extract_at,
        extracts.extract_number,
        extracts.next_extract_at,
        max(last_listings.extracted_at) over (
            partition by last_listings.product_id order by last_listings.extract_at
        ) as listed_at
    from last_listings
    inner join extracts on last_listings.extract_at = extracts.extract_at
),

-- while a listing stays the same from extract to extract, both numbers grow by one, so their difference is constant
listed as (
    select
        seen.*,
        listings.name,
        listings.category,
        listings.list_price,
        seen.extract_number - row_number() over (
            partition by seen.product_id, listings.name, listings.category, listings.list_price
            order by seen.extract_number
        ) as run_number
    from seen
    inner join listings on seen.product_id = listings.product_id and seen.listed_at = listings.extracted_at
),

periods as (
    select
        product_id,
        name,
        category,
        list_price,
        min(extract_at) as valid_from,
        -- the newest extract has no next one
        case when count(next_extract_at) = count(*) then max(next_extract_at) end as valid_to
    from listed
    group by product_id, name, category, list_price, run_number
),

final as (
    select
        product_id,
        name,
        category,
        list_price,
        valid_from,
        valid_to,
        valid_to is null as is_current
    from periods
)

select * from final
