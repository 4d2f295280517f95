{{ quarantine(ref('judged_products'), ref('bronze_products')) }}
