{#- Regular expressions for CSV, as RFC 4180 has it, with blanks allowed round a quoted field, and quotes like any other character
    inside a field that does not begin with one. Possessive (`more`) in Java, which would otherwise go back or recurse for each
    repetition; Rust never goes back, and does not know the word. -#}
{%- macro csv_patterns(options) -%}
    {%- set more = on_engine('possessive') -%}
    {%- set separator = modules.re.escape(options.sep) -%}
    {%- set quote = modules.re.escape(options.quote) -%}
    {%- set escape = modules.re.escape(options.escape) -%}
    {%- set blank = '[' ~ ' \t\u00a0\ufeff' | replace(options.sep, '') ~ ']' -%}
    {%- if options.sep | length == 1 -%}
        {%- set first = '[^\\r\\n \t\u00a0\ufeff' ~ quote ~ separator ~ ']' -%}
        {%- set next = '[^\\r\\n' ~ separator ~ ']' -%}
    {%- else -%}
        {%- set first = '(?:(?!' ~ separator ~ ')[^\\r\\n \t\u00a0\ufeff' ~ quote ~ '])' -%}
        {%- set next = '(?:(?!' ~ separator ~ ')[^\\r\\n])' -%}
    {%- endif -%}
    {%- if options.escape == options.quote -%}
        {%- set inside = '[^' ~ quote ~ ']*' ~ more ~ '(?:' ~ quote ~ quote ~ '[^' ~ quote ~ ']*' ~ more ~ ')*' ~ more -%}
    {%- else -%}
        {%- set plain = '[^' ~ quote ~ escape ~ ']*' ~ more -%}
        {%- set inside = plain ~ '(?:' ~ escape ~ '[\\s\\S]' ~ plain ~ ')*' ~ more -%}
    {%- endif -%}
    {%- set blanks = blank ~ '*' ~ more -%}
    {%- set quoted = blanks ~ quote ~ inside ~ quote ~ blanks -%}
    {%- set field = '(?:' ~ quoted ~ '|' ~ blanks ~ '(?:' ~ first ~ next ~ '*' ~ more ~ ')?)' -%}
    {%- set fields = '(?:' ~ field ~ separator ~ ')*' ~ more -%}
    {%- set record = field ~ '(?:' ~ separator ~ field ~ ')*' ~ more -%}
    {{- return({
        'separator': separator,
        'line_end': '\\r\\n|\\n|\\r',
        'field': separator ~ '(' ~ field ~ ')',
        'record': '^' ~ record ~ '\\z',
        'open_record': '^' ~ fields ~ blanks ~ quote ~ inside ~ '(?:' ~ escape ~ ')?\\z',
        'quoted': '^' ~ blanks ~ quote,
        'content': '^' ~ blanks ~ quote ~ '([\\s\\S]*)' ~ quote ~ blank ~ '*\\z',
        'piece': '(' ~ record
            ~ '|' ~ fields ~ quoted ~ '[^\\r\\n]*' ~ more
            ~ '|' ~ fields ~ blanks ~ quote ~ '[\\s\\S]*' ~ more
            ~ ')(?:\\r\\n|\\n|\\r|\\z)',
    }) -}}
{%- endmacro -%}
