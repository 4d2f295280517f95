{#- Names of the rules a record breaks, from `meta.rules` of the model: one pass that silver and quarantine both read, so
    that they cannot disagree. A rule that is NULL is broken. A record that could not be read is judged by nothing else. Rules that
    only warn are counted beside the row ledger (record_rules). -#}
{%- macro violated_rules() -%}
    {%- if not execute -%}
        {{- return('array()') -}}
    {%- endif -%}
    case
        {%- if engine() == 'sail' %}
        -- volatile, or else Sail moves a filter on the result below it and computes every value once for each mention
        when rand() < 0 then cast(null as array<string>)
        {%- endif %}
        when unreadable_reason is not null then array(unreadable_reason)
        else array_compact(array(
            {%- for name, condition in declared_rules(model).items() %}
            case when not coalesce({{ condition }}, false) then '{{ name }}' end{{ ',' if not loop.last }}
            {%- endfor %}
        ))
    end
{%- endmacro -%}
