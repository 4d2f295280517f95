{{ config(severity='warn') }}

select * from {{ ref('unconverted_sales') }}
