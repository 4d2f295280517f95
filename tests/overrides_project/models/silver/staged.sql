select 'silver' as layer
