{{ config(unique_key=['product_id', 'extracted_at'], event_time='extracted_at') }}

-- a listing that breaks another rule is in quarantine, but its product was in the extract
with judged as (
    select * from {{ ref('judged_products') }}
    where
        unreadable_reason is null
        and size(array_intersect(
            violated_rules, array('product_id_present', 'extracted_at_valid', 'extracted_at_plausible')
        )) = 0
        and {{ new_batches(ref('bronze_products')) }}
),

final as (
    select distinct
        product_id,
        extracted_at
    from judged
)

select * from final
