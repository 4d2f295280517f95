{#- The one form of a text that others are compared with (docs/decisions.md): trimmed, composed, and NULL where nothing is left or the source
    writes one of its words for nothing (`null_markers`). -#}
{%- macro plain_text(value) -%}
    {{- _none_if_marker(_plain(value)) -}}
{%- endmacro -%}

{#- A text of more than 4,000 characters is not composed: that takes time by the square of its length. -#}
{%- macro _plain(value) -%}
    case
        when {{ value }} rlike {{ _needs_nothing() }} then {{ value }}
        when length({{ value }}) <= 4000 and {{ value }} rlike {{ _combining_marks() }} then {{ composed(_trim(value)) }}
        else translate({{ _trim(value) }}, '\u212a\u212b\u2126', 'K\u00c5\u03a9')
    end
{%- endmacro -%}

{%- macro _none_if_marker(text) -%}
    {%- set patterns = [] -%}
    {%- for marker in judged_meta('null_markers') -%}
        {%- do patterns.append(modules.re.escape(marker | string)) -%}
    {%- endfor -%}
    {%- if patterns -%}
        nullif(regexp_replace({{ text }}, {{ sql_literal('^(?i:' ~ patterns | join('|') ~ ')$') }}, ''), '')
    {%- else -%}
        nullif({{ text }}, '')
    {%- endif -%}
{%- endmacro -%}
