{{ quarantine(ref('judged_marketplace_orders'), ref('bronze_marketplace_orders')) }}
