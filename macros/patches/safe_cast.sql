{#-
    What upstream does: safe_cast is a plain cast, which raises an error under ANSI; a struct, array or map in a unit test that
    contains a quote keeps the backslash of its escape and does not parse.
    Here: try_cast, and the escape is undone when the text is used as an expression.
    Can go when: dbt-spark's safe_cast is try_cast.
-#}
{%- macro spark__safe_cast(field, type) -%}
    {%- if field is string and cast_from_string_unsupported_for(type) and field[:1] == "'" and field[-1:] == "'" -%}
        {%- set field = field[1:-1] | replace("\\'", "'") | replace('\\\\', '\\') -%}
    {%- endif -%}
    try_cast({{ field }} as {{ type }})
{%- endmacro -%}
