{#- On a bronze model: the newest batch has the declared fields, with the types of the batch before. What a team lets pass, hears of
    or stops at is the test's own business: arguments and severity. -#}
{%- test no_field_drift(model, kinds) -%}
    select source, kind, field, found, record_count, to_accept
    from ({{ field_drift(model.identifier.removeprefix('bronze_')) }})
    where kind in ('{{ kinds | join("', '") }}')
{%- endtest -%}
