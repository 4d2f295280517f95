{#- A regular expression for one field as it stands in a file: an unclosed quote, a quoted field with what may follow it, or an unquoted one. -#}
{%- macro sail_csv_field(separator) -%}
    {%- set unquoted = '[^\\r\\n' ~ modules.re.escape(separator) -%}
    {{- return('"[^"]*(?:""[^"]*)*\\z|"(?:[^"]|"")*"' ~ unquoted ~ ']*|' ~ unquoted ~ '"]' ~ unquoted ~ ']*|') -}}
{%- endmacro -%}
