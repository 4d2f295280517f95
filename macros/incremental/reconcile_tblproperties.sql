{#- Brings the properties of an existing table to what its config says; without it retention and the like would
    only hold for tables made after the change. Properties that config does not name stay. -#}
{%- macro reconcile_tblproperties(relation, present) -%}
    {%- set wanted = config.get('tblproperties') or {} -%}
    {%- set changed = [] -%}
    {%- for name, value in wanted.items() -%}
        {%- set text = value | string | lower if value is boolean else value | string -%}
        {%- if present.get(name) != text -%}
            {%- do changed.append(sql_literal(name) ~ ' = ' ~ sql_literal(text)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if changed -%}
        {%- call statement('reconcile_tblproperties') -%}
            alter table {{ relation }} set tblproperties ({{ changed | join(', ') }})
        {%- endcall -%}
    {%- endif -%}
{%- endmacro -%}
