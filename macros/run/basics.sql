{#- Whether this command builds models. Where SQL is only rendered (compile, docs, show) nothing is asked of the lake, which may
    not exist yet, and nothing in it changes. -#}
{%- macro is_building() -%}
    {{- return(execute and flags.WHICH in ['run', 'build', 'retry']) -}}
{%- endmacro -%}

{#- SQL without comments, and without white space outside of quotes: what two versions of one text are compared by. -#}
{%- macro without_blanks(sql) -%}
    {%- set quoted = "('(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)" -%}
    {{- return(modules.re.sub('(?s)' ~ quoted ~ '|--[^\n]*|/[*].*?[*]/|\\s+', '\\1', sql)) -}}
{%- endmacro -%}
