{{ quarantine(ref('judged_web_events'), ref('bronze_web_events')) }}
