{{ config(materialized='table', alias='located') }}
select 'gold' as layer
