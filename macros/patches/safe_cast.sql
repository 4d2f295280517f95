{#-
    What upstream does: safe_cast is a plain cast, which raises under ANSI and there is no safe cast at all; a struct, array or
    map of a unit test with a quote in it keeps the backslash of its escape and does not parse.
    Here: try_cast, and the escape is taken back when the text is used as an expression.
    Can go when: dbt-spark's safe_cast is try_cast.
-#}
{%- macro spark__safe_cast(field, type) -%}
    {%- if field is string and cast_from_string_unsupported_for(type) and field[:1] == "'" and field[-1:] == "'" -%}
        {%- set field = field[1:-1] | replace("\\'", "'") | replace('\\\\', '\\') -%}
    {%- endif -%}
    try_cast({{ field }} as {{ type }})
{%- endmacro -%}
