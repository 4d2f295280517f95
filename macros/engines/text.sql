{%- macro is_blank(text) -%}
    {{ text }} rlike '^[\\s\u00a0\ufeff]*\\z'
{%- endmacro -%}

{%- macro is_windows_1252(single_bytes) -%}
    not {{ single_bytes }} rlike '[\u0081\u008d\u008f\u0090\u009d]'
{%- endmacro -%}

{%- macro is_mixed(content) -%}
    {{ content }} rlike '[^\\x00-\\x7f\ufffd]'
{%- endmacro -%}

{#- While reading a file as one text, each core holds several copies of it. -#}
{%- macro whole_file_bytes() -%}
    {{- return(var('whole_file_bytes', 32000000)) -}}
{%- endmacro -%}

{%- macro size_when_read(file, size) -%}
    {{ size }} * case when {{ file }} rlike '(?i)[.](gz|bz2)$' then 8 else 1 end
{%- endmacro -%}
