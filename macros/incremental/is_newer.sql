{#- Whether row `a` is a newer version than row `b` of the same key: by the columns of the config newest_by, the first that differs. -#}
{%- macro is_newer(a, b) -%}
    {%- set cases = [] -%}
    {%- set equal = [] -%}
    {%- for column in config.get('newest_by') or [] -%}
        {%- do cases.append((equal + [a ~ '.' ~ column ~ ' > ' ~ b ~ '.' ~ column]) | join(' and ')) -%}
        {%- do equal.append(a ~ '.' ~ column ~ ' = ' ~ b ~ '.' ~ column) -%}
    {%- endfor -%}
    {{- return('(' ~ (cases | join(' or ') or 'false') ~ ')') -}}
{%- endmacro -%}
