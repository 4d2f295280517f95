with orders as (
    select * from values (1, 1, 'old'), (1, 2, 'new'), (2, 1, null) as orders (id, version, note)
)

{{ adapter.dispatch('deduplicate', 'dbt_utils')('orders', 'id', 'version desc') }}
