{#- A time, UTC, by the formats that the source declares (`time_formats`), the first that fits, else NULL. A text must have just the
    digits of the format, so that both engines read the same. -#}
{%- macro to_time(value, formats=none) -%}
    {%- set formats = formats or judged_meta('time_formats') -%}
    {%- do _assert_unambiguous(formats) -%}
    {%- set text = trimmed(value) -%}
    {%- set readers = [] -%}
    {%- for format in formats -%}
        {%- do readers.append(_iso_8601(text) if format == 'iso8601' else
            'case when ' ~ text ~ ' rlike ' ~ sql_literal('^' ~ _time_shape(format) ~ '$') ~ ' then try_to_timestamp(' ~ text ~ ', '
            ~ sql_literal(format) ~ ') end'
        ) -%}
    {%- endfor -%}
    coalesce({{ readers | join(', ') }}, cast(null as timestamp))
{%- endmacro -%}

{#- The texts that a format can read, as a regular expression: MM has two digits, M one or two. -#}
{%- macro _time_shape(format) -%}
    {%- set shape = [] -%}
    {%- for quoted, letters, other in modules.re.findall("'([^']*)'|([A-Za-z]+)|([^A-Za-z'])", format) -%}
        {%- if letters and letters[0] == 'S' -%}
            {%- do shape.append('[0-9]{' ~ letters | length ~ '}') -%}
        {%- elif letters in ['yyyy', 'MM', 'dd', 'HH', 'mm', 'ss', 'M', 'd', 'H'] -%}
            {%- do shape.append('[0-9]{1,2}' if letters | length == 1 else '[0-9]{' ~ letters | length ~ '}') -%}
        {%- elif letters -%}
            {{- exceptions.raise_compiler_error(
                "The time format '" ~ format ~ "' has '" ~ letters ~ "'. Use yyyy, MM or M, dd or d, HH or H, mm, ss and S, other text in "
                ~ 'single quotes, or iso8601.'
            ) -}}
        {%- else -%}
            {%- do shape.append(modules.re.escape(quoted or other)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(shape | join) -}}
{%- endmacro -%}

{#- With M/d/yyyy and d/M/yyyy side by side each record would be read by whichever happens to fit. -#}
{%- macro _assert_unambiguous(formats) -%}
    {%- set orders = {} -%}
    {%- for format in formats if format != 'iso8601' -%}
        {%- set order = modules.re.sub('(.)\\1+', '\\1', format) -%}
        {%- set skeleton = modules.re.sub('[A-Za-z]+', '#', format) -%}
        {%- if orders.get(skeleton, order) != order -%}
            {{- exceptions.raise_compiler_error(
                "The time formats of a source must not read the same text differently, as '" ~ format ~ "' and another of " ~ formats
                ~ ' do: declare the one that the source writes.'
            ) -}}
        {%- endif -%}
        {%- do orders.update({skeleton: order}) -%}
    {%- endfor -%}
{%- endmacro -%}

{#- Date and time of ISO 8601 in its extended form: seconds, a fraction and an offset may be missing; what lies below a microsecond is cut. -#}
{%- macro _iso_8601(text) -%}
    {%- set shape = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?$' -%}
    {%- set step = namespace(sql=text) -%}
    {%- for pattern, instead in {
        '[.,]([0-9]{1,6})[0-9]*': '.$1',
        '(T[0-9]{2}:[0-9]{2})(Z|[+-].*)?$': '$1:00$2',
        '([+-][0-9]{2})([0-9]{2})$': '$1:$2',
        '(:[0-9.]+[+-][0-9]{2})$': '$1:00',
    }.items() -%}
        {%- set step.sql = 'regexp_replace(' ~ step.sql ~ ', ' ~ sql_literal(pattern) ~ ', ' ~ "'" ~ instead ~ "')" -%}
    {%- endfor -%}
    {{- return('case when ' ~ text ~ ' rlike ' ~ sql_literal(shape) ~ ' then try_cast(' ~ step.sql ~ ' as timestamp) end') -}}
{%- endmacro -%}
