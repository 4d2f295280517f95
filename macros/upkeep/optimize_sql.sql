{%- macro optimize_sql(relation, zorder=none) -%}
    {%- set columns = [zorder] if zorder is string else (zorder or []) -%}
    optimize {{ relation }}
    {%- if columns %} zorder by (`{{ columns | join('`, `') }}`){% endif -%}
{%- endmacro -%}
