{#- A text without blanks around it and without invisible characters, each run of blanks within it as one blank. Blanks of every kind count:
    tabs, line breaks, no-break and wide ones. Most texts need nothing of all that. -#}
{%- macro trimmed(value) -%}
    case when {{ value }} rlike {{ _needs_nothing() }} then {{ value }} else {{ _trim(value) }} end
{%- endmacro -%}

{%- macro _needs_nothing() -%}
    {{- return("'^[!-~]+( [!-~]+)*$'") -}}
{%- endmacro -%}

{%- macro _trim(value) -%}
    {%- set invisible = '[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x{84}\\x{86}-\\x{9f}\\x{ad}\\x{34f}\\x{61c}\\x{115f}\\x{1160}\\x{17b4}\\x{17b5}'
        ~ '\\x{180b}-\\x{180f}\\x{200b}-\\x{200f}\\x{202a}-\\x{202e}\\x{2060}-\\x{206f}\\x{3164}\\x{fe00}-\\x{fe0f}\\x{feff}\\x{ffa0}'
        ~ '\\x{fff9}-\\x{fffb}\\x{e0000}-\\x{e0fff}]' -%}
    {%- set blanks = '[\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{2800}\\x{3000}]+' -%}
    {{- return(
        'trim(regexp_replace(regexp_replace(' ~ value ~ ', ' ~ sql_literal(invisible) ~ ", ''), " ~ sql_literal(blanks) ~ ", ' '))"
    ) -}}
{%- endmacro -%}
