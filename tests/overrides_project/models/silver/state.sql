{%- if var('narrow', false) -%}
select 1 as id, 'b' as name
{%- else -%}
select 1 as id, 'a' as name, 'more' as extra
{%- endif %}
