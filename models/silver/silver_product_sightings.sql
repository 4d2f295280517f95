{{ config(unique_key=['product_id', 'extracted_at']) }}

-- a listing that breaks a rule is in quarantine, but its product was in the extract all the same
with judged as (
    select * from {{ ref('judged_products') }}
    where product_id is not null and extracted_at is not null and {{ new_batches(ref('bronze_products')) }}
),

final as (
    select distinct
        product_id,
        extracted_at
    from judged
)

select * from final
