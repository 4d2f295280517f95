{#- How far `relation` has consumed each of its inputs: the batch of a bronze table, version and commit time of any other.
    Kept as properties of the table itself, so that a full refresh, a drop or a RESTORE of the table takes them along. -#}
{%- macro consumed_positions(relation) -%}
    {%- set positions = {} -%}
    {%- for row in run_query('show tblproperties ' ~ relation).rows if row[0].startswith('medallion.consumed.') -%}
        {%- do positions.update({row[0][19:]: row[1]}) -%}
    {%- endfor -%}
    {{- return(positions) -}}
{%- endmacro -%}
