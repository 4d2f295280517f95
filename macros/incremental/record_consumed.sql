{%- macro record_consumed(relation, positions) -%}
    {%- if positions -%}
        {%- call statement('record_consumed') -%}
            alter table {{ relation }} set tblproperties (
                {%- for input, position in positions.items() %}
                'medallion.consumed.{{ input }}' = '{{ position }}'{{ ',' if not loop.last }}
                {%- endfor %}
            )
        {%- endcall -%}
    {%- endif -%}
{%- endmacro -%}
