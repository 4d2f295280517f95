{#- The fields of a JSON record as text, just as they stand in it. Sail's from_json would write numbers anew: 2.50 as 2.5, an id of
    more than 17 digits as another one. So there they become text first: each match takes all up to the next number, strings whole, or to
    the end, so that none begins within a string. -#}
{%- macro json_fields(record, fields) -%}
    {%- if engine() == 'sail' -%}
        from_json(
            trim(trailing '"' from regexp_replace({{ record }}, '((?:"(?:[^"\\\\]|\\\\.)*"|[^-0-9"])*)(-?[0-9][-+.0-9eE]*|$)', '$1"$2"')),
            {{ sql_literal(fields) }}
        )
    {%- else -%}
        from_json({{ record }}, {{ sql_literal(fields) }})
    {%- endif -%}
{%- endmacro -%}
