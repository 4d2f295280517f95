{#- Names of the rules that a record breaks, from `meta.rules` of the model: one list that silver and quarantine both read, so that they
    cannot disagree. A rule that is NULL is broken. An unreadable record breaks no further rule. Rules that only warn are counted with the
    row ledger (record_rules). -#}
{%- macro violated_rules() -%}
    {%- if not execute -%}
        {{- return('array()') -}}
    {%- endif -%}
    case
        {{ on_engine('volatile_case') }}
        when unreadable_reason is not null then array(unreadable_reason)
        else array_compact(array(
            {%- for name, condition in declared_rules(model).items() %}
            case when not coalesce({{ condition }}, false) then '{{ name }}' end{{ ',' if not loop.last }}
            {%- endfor %}
        ))
    end
{%- endmacro -%}

{#- The whole of a quarantine model: the new records that break a rule, unchanged. -#}
{%- macro quarantine(judged, bronze) -%}
    select
        source_file,
        record_number,
        violated_rules,
        record,
        batch_id,
        ingested_at
    from {{ judged }}
    where size(violated_rules) > 0 and {{ new_batches(bronze) }}
{%- endmacro -%}
