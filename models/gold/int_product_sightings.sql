with sightings as (
    select * from {{ ref('silver_product_sightings') }}
),

times as (
    select distinct extracted_at from sightings
),

-- an extract begins where no other time is shortly before
begun as (
    select
        extracted_at,
        case
            when
                lag(extracted_at) over (order by extracted_at)
                >= timestampadd(minute, -{{ var('extract_gap_minutes') }}, extracted_at) then null
            else extracted_at
        end as began_at
    from times
),

extracts as (
    select
        extracted_at,
        max(began_at) over (order by extracted_at) as extract_at
    from begun
),

final as (
    select
        sightings.product_id,
        sightings.extracted_at,
        extracts.extract_at
    from sightings
    inner join extracts on sightings.extracted_at = extracts.extracted_at
)

select * from final
