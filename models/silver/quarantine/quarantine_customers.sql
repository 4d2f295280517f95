{{ quarantine(ref('judged_customers'), ref('bronze_customers')) }}
