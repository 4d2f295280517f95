with sightings as (
    select * from {{ ref('silver_product_sightings') }}
    where {{ rebuild_when_changed() }}
),

listings as (
    select * from {{ ref('silver_product_listings') }}
),

extracts as (
    select
        extracted_at,
        row_number() over (order by extracted_at) as extract_number,
        lead(extracted_at) over (order by extracted_at) as next_extracted_at
    from (select distinct extracted_at from sightings) as times
),

-- of a sighting without a good listing, what the last good one said goes on
seen as (
    select
        sightings.product_id,
        extracts.extracted_at,
        extracts.extract_number,
        extracts.next_extracted_at,
        max(listings.extracted_at) over (
            partition by sightings.product_id order by sightings.extracted_at
        ) as listed_at
    from sightings
    inner join extracts on sightings.extracted_at = extracts.extracted_at
    left join listings
        on sightings.product_id = listings.product_id and sightings.extracted_at = listings.extracted_at
),

-- while a product says the same in one extract after the other, both numbers go up by one, and their difference stays
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
        min(extracted_at) as valid_from,
        -- the newest extract has no next one
        case when count(next_extracted_at) = count(*) then max(next_extracted_at) end as valid_to
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
