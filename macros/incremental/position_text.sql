{%- macro position_text(commit) -%}
    {{- return(commit['version'] | int ~ '@' ~ commit['timestamp'].astimezone(modules.pytz.utc).isoformat()) -}}
{%- endmacro -%}
