{#- A text in the one form in which texts are compared (docs/decisions.md): trimmed, composed, and NULL if nothing is left or if it is one of
    the source's `null_markers`. -#}
{%- macro plain_text(value) -%}
    {{- _none_if_marker(_plain(value)) -}}
{%- endmacro -%}

{#- A text of more than 4,000 characters is not composed, because that takes quadratic time. -#}
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

{#- An id as a plain text: spreadsheets and JSON writers turn 17850 into 17850.0. With anything but digits before the point, it stays. -#}
{%- macro plain_id(value) -%}
    {{- _none_if_marker("regexp_replace(" ~ _plain(value) ~ ", '^([0-9]+)[.]0+$', '$1')") -}}
{%- endmacro -%}

{#- A text without surrounding blanks and invisible characters, with each inner run of blanks as one blank. All kinds of blanks count: tabs,
    line breaks, no-break and wide ones. Most texts need none of this. -#}
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

{#- A whole number, otherwise NULL: 6, -6 and, from float exports, 6.0. Not 1,000, where the comma may be a decimal point, nor 1e3. -#}
{%- macro to_whole(value, type='int') -%}
    {%- set text = _number(value) -%}
    case
        when {{ value }} rlike '^-?[0-9]+$' then try_cast({{ value }} as {{ type }})
        when {{ text }} rlike '^[-+]?[0-9]+[.]?0*$' then try_cast(regexp_replace({{ text }}, '[.]0*$', '') as {{ type }})
    end
{%- endmacro -%}

{#- A plain number of at most four decimals, not counting trailing zeros, otherwise NULL: a cast alone would round what it cannot hold. -#}
{%- macro to_money(value) -%}
    {%- set text = _number(value) -%}
    case when {{ text }} rlike '^-?[0-9]+([.][0-9]{1,4}0*)?$' then try_cast({{ text }} as decimal(18, 4)) end
{%- endmacro -%}

{#- A number of any size and precision that is not money, such as a coordinate, as a double; otherwise NULL. -#}
{%- macro to_float(value) -%}
    {%- set text = _number(value) -%}
    case when {{ text }} rlike '^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$' then try_cast({{ text }} as double) end
{%- endmacro -%}

{#- A number with a point before its decimals. With the decimal mark `,` points may stand between groups of three digits, and nowhere else. -#}
{%- macro _number(value) -%}
    {%- if judged_meta('decimal_mark') == ',' -%}
        case when {{ trimmed(value) }} rlike '^[-+]?([0-9]+|[0-9]{1,3}([.][0-9]{3})+)(,[0-9]*)?$' then translate({{ trimmed(value) }}, ',.', '.') end
    {%- else -%}
        {{ trimmed(value) }}
    {%- endif -%}
{%- endmacro -%}

{#- A part of the name of a file, by a pattern of the name in which {part} stands for one or more characters other than a slash, for
    instance orders_{store}_{date}.csv; NULL if the name is another. -#}
{%- macro name_part(pattern, part, file='source_file') -%}
    {%- set names = modules.re.findall('[{](\\w+)[}]', pattern) -%}
    {%- if part not in names -%}
        {{- exceptions.raise_compiler_error("name_part: the pattern '" ~ pattern ~ "' has no {" ~ part ~ "}.") -}}
    {%- endif -%}
    {%- set shape = modules.re.sub('\\\\[{]\\w+\\\\[}]', '([^/]+?)', modules.re.escape(pattern)) -%}
    nullif(regexp_extract({{ file }}, {{ sql_literal('(?s)^(?:.*/)?' ~ shape ~ '\\z') }}, {{ names.index(part) + 1 }}), '')
{%- endmacro -%}

{#- A time, UTC, by the first of the source's `time_formats` that fits, otherwise NULL. A text must have exactly the digits of the format,
    so that both engines read the same. -#}
{%- macro to_time(value, formats=none) -%}
    {%- set formats = formats or judged_meta('time_formats') -%}
    {%- do _assert_unambiguous(formats) -%}
    {%- set text = trimmed(value) -%}
    {%- set readers = [] -%}
    {%- for format in formats -%}
        {%- do readers.append(_iso_8601(text) if format == 'iso8601' else _log_time(text) if format == 'access_log' else
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
                ~ 'single quotes, or iso8601 or access_log.'
            ) -}}
        {%- else -%}
            {%- do shape.append(modules.re.escape(quoted or other)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(shape | join) -}}
{%- endmacro -%}

{#- With both M/d/yyyy and d/M/yyyy, each record would be read by whichever happens to fit. -#}
{%- macro _assert_unambiguous(formats) -%}
    {%- set orders = {} -%}
    {%- for format in formats if format not in ['iso8601', 'access_log'] -%}
        {%- set order = modules.re.sub('(.)\\1+', '\\1', format) -%}
        {%- set skeleton = modules.re.sub('[A-Za-z]+', '#', format) -%}
        {%- if orders.get(skeleton, order) != order -%}
            {{- exceptions.raise_compiler_error(
                "The time formats of a source must not read the same text differently, as '" ~ format ~ "' and another of " ~ formats
                ~ ' do. Declare the one that the source uses.'
            ) -}}
        {%- endif -%}
        {%- do orders.update({skeleton: order}) -%}
    {%- endfor -%}
{%- endmacro -%}

{#- Date and time of ISO 8601 in extended form; seconds, fraction and offset are optional; anything below a microsecond is cut. -#}
{%- macro _iso_8601(text) -%}
    {%- set shape = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?$' -%}
    {%- set step = namespace(sql=text) -%}
    {%- for pattern, instead in {
        '[.,]([0-9]{1,6})[0-9]*': '.$1',
        '(T[0-9]{2}:[0-9]{2})(Z|[+-].*)?$': '$1:00$2',
    }.items() -%}
        {%- set step.sql = 'regexp_replace(' ~ step.sql ~ ', ' ~ sql_literal(pattern) ~ ', ' ~ "'" ~ instead ~ "')" -%}
    {%- endfor -%}
    {{- return('case when ' ~ text ~ ' rlike ' ~ sql_literal(shape) ~ ' then try_cast(' ~ step.sql ~ ' as timestamp) end') -}}
{%- endmacro -%}

{#- The time of an access log, 10/Oct/2026:13:55:36 -0700. -#}
{%- macro _log_time(text) -%}
    {%- set months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] -%}
    case
        when {{ text }} rlike {{ sql_literal('^[0-9]{2}/(' ~ months | join('|') ~ ')/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}$') }} then try_cast(
            concat(
                substring({{ text }}, 8, 4), '-',
                lpad(cast(array_position(array('{{ months | join("', '") }}'), substring({{ text }}, 4, 3)) as string), 2, '0'), '-',
                substring({{ text }}, 1, 2), 'T', substring({{ text }}, 13, 8), substring({{ text }}, 22, 3), ':', substring({{ text }}, 25, 2)
            ) as timestamp
        )
    end
{%- endmacro -%}

{#- The fields of a JSON record as text, exactly as written. -#}
{%- macro json_fields(record, fields) -%}
    {{- on_engine('json_fields', record, fields) -}}
{%- endmacro -%}

{#- Surrogate key over columns of any type. Each value comes with its length, so different lists of values have different texts, and NULL
    differs from every value. -#}
{%- macro row_key(columns) -%}
    md5(concat(
        {%- for column in columns -%}
        {%- set text = 'cast(' ~ column ~ ' as string)' %}
        coalesce(concat(length({{ text }}), ':', {{ text }}), '-'){{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro -%}

{#- A setting from the meta of the current judged model; the default for all sources is the variable of that name. -#}
{%- macro judged_meta(name) -%}
    {{- return(model.config.meta.get(name) or var(name)) -}}
{%- endmacro -%}
