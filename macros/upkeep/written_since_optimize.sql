{#- Whether the newest commit that moved data is something else than an OPTIMIZE; `operations` are the newest first. -#}
{%- macro written_since_optimize(operations) -%}
    {%- set without_data = ['SET TBLPROPERTIES', 'UNSET TBLPROPERTIES', 'CHANGE COLUMN', 'VACUUM START', 'VACUUM END'] -%}
    {%- set moved = operations | reject('in', without_data) | list -%}
    {{- return(not moved or moved[0] != 'OPTIMIZE') -}}
{%- endmacro -%}
