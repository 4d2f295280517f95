{{ config(materialized='incremental', incremental_strategy='append', alias='staged') }}
select 'gold' as layer
