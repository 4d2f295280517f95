{#- Bytes that are no UTF-8 have become U+FFFD by now: what they were is in the file only. A U+FFFD that stands in the file is text
    which somebody lost before. -#}
{%- macro is_not_utf8(text) -%}
    instr({{ text }}, '\ufffd') > 0
{%- endmacro -%}
