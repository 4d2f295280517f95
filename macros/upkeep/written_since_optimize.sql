{#- Whether the newest commit that moved data is something else than an OPTIMIZE; `operations` are the newest first. -#}
{%- macro written_since_optimize(operations) -%}
    {%- set moved = operations | reject('in', commits_without_data()) | list -%}
    {{- return(not moved or moved[0] != 'OPTIMIZE') -}}
{%- endmacro -%}
