{#- For a bronze model: the newest batch has the declared fields, with the types of the previous batch. The test's arguments and severity say
    what is allowed, warned about or refused. -#}
{%- test no_field_drift(model, kinds) -%}
    select source, kind, field, found, record_count, to_accept
    from ({{ field_drift(model.identifier.removeprefix('bronze_')) }})
    where kind in ('{{ kinds | join("', '") }}')
{%- endtest -%}
