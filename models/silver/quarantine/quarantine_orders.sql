{{ quarantine(ref('judged_orders'), ref('bronze_orders')) }}
