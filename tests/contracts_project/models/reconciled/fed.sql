{{ config(contract={'enforced': false}) }}
select {{ '(select max(batch_id) + 1 from ' ~ this ~ ')' if is_incremental() else 'cast(1 as bigint)' }} as batch_id
where {{ not var('nothing_new') }}
