{{ config(materialized='table') }}
select 1 as id, {{ -2 if var('broken') else 2 }} as amount, 'x y' as name
