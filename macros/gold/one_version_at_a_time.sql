{#- For a model with history (valid_from, valid_to, is_current): no version is empty or overlaps the next one of its key, and exactly the
    keys that exist now have one current version. -#}
{%- test one_version_at_a_time(model, key, living) -%}
    with versions as (
        select
            *,
            lead(valid_from) over (partition by {{ key }} order by valid_from) as next_valid_from
        from {{ model }}
    ),

    living as (
        select {{ key }} from {{ living }}
    ),

    held as (
        select {{ key }}, count(*) as current_versions from versions where is_current group by {{ key }}
    )

    select {{ key }}, valid_from, 'empty, overlapping, or not current as valid_to says' as problem
    from versions
    where
        valid_to <= valid_from
        or (next_valid_from is not null and (valid_to is null or valid_to > next_valid_from))
        or is_current <> (valid_to is null)
    union all
    select coalesce(living.{{ key }}, held.{{ key }}), null, 'not one current version, or one of a key that does not live'
    from living
    full outer join held on living.{{ key }} = held.{{ key }}
    where living.{{ key }} is null or held.{{ key }} is null or held.current_versions > 1
{%- endtest -%}
