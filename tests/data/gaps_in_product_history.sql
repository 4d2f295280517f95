with versions as (
    select
        product_id,
        valid_to,
        lead(valid_from) over (partition by product_id order by valid_from) as next_valid_from
    from {{ ref('product_history') }}
)

select
    versions.*,
    sightings.extract_at
from versions
inner join {{ ref('int_product_sightings') }} as sightings
    on
        versions.product_id = sightings.product_id
        and versions.valid_to <= sightings.extract_at
        and versions.next_valid_from > sightings.extract_at
