{#- How far `relation` has consumed each of its inputs: the batch of a bronze table, version and commit time of any other.
    Kept as properties of the table itself, so that a full refresh, a drop or a RESTORE of the table takes them along. -#}
{%- macro consumed_positions(relation) -%}
    {%- set positions = {} -%}
    {%- for name, value in table_properties(relation).items() if name.startswith('medallion.consumed.') -%}
        {%- do positions.update({name[19:]: value}) -%}
    {%- endfor -%}
    {{- return(positions) -}}
{%- endmacro -%}
