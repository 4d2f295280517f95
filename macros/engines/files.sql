{#- Each core holds several copies of a file while it reads it as one text. -#}
{%- macro whole_file_bytes() -%}
    {{- return(var('whole_file_bytes', 32000000)) -}}
{%- endmacro -%}

{%- macro size_when_read(file, size) -%}
    {{ size }} * case when {{ file }} rlike '(?i)[.](gz|bz2)$' then 8 else 1 end
{%- endmacro -%}
