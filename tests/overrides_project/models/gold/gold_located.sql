{{ config(materialized='table', alias='located', location_root=var('location_root', 'none')) }}
select 'gold' as layer
