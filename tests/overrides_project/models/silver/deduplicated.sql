with orders as (
    select * from values (1, 1, 'old'), (1, 2, 'new'), (2, 1, null) as orders (id, version, note)
)

{{ deduplicate('orders', 'id', ['version desc']) }}
