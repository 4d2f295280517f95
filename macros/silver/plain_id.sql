{#- An id as a plain text: spreadsheets and JSON writers make 17850.0 of 17850. Where anything but digits stands before the point, it stays. -#}
{%- macro plain_id(value) -%}
    {{- _none_if_marker("regexp_replace(" ~ _plain(value) ~ ", '^([0-9]+)[.]0+$', '$1')") -}}
{%- endmacro -%}
