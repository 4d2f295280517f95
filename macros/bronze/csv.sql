{#- CSV by header name, file by file: the first record of a file names the fields of the others, so that a reordered, missing or
    additional column never puts a value under the wrong name.

    A text is cut into pieces: records as defined by RFC 4180, or a passage that begins like one and breaks the quoting. Each line of such a
    passage, and of a record that seems to contain other records between its quotes, becomes an unreadable record of its own, because nobody
    can tell where its fields end. -#}
{%- macro csv_records(contents, source) -%}
{%- set csv = csv_patterns(source.options) -%}
{%- set quote = sql_literal(source.options.quote) -%}
{{ landing_texts(contents, source) }},

cut as (
    select
        *,
        filter(
            case
                when kind is not null then array(substring(text, 1, 1000))
                when is_by_line or instr(text, {{ quote }}) = 0 then split(text, {{ sql_literal(csv.line_end) }})
                else regexp_extract_all(text, {{ sql_literal(csv.piece) }}, 1)
            end,
            piece -> not {{ is_blank('piece') }}
            {%- if source.options.comment %} and (kind is not null or not startswith(piece, {{ sql_literal(source.options.comment) }})){% endif %}
        ) as pieces
    from texts
),

headed as (
    select
        *,
        coalesce(head, get(pieces, 0)) as header,
        {{ _csv_values('coalesce(head, get(pieces, 0))', source, csv) }} as header_values
    from cut
    where size(pieces) > 0
),

named as (
    select
        *,
        size(header_values) as header_count,
        transform(
            slice(header_values, 1, {{ source.max_columns + 1 }}),
            (name, i) -> {{ _declared_name("coalesce(nullif(" ~ _trimmed_name('name') ~ ", ''), concat('column_', i + 1))", source) }}
        ) as names
    from headed
),

judged_headers as (
    select
        *,
        -- a repeated name gets its position as a suffix, so that no value is lost
        transform(names, (name, i) -> case when array_position(names, name) = i + 1 then name else concat(name, '_', i + 1) end) as field_names,
        {{ _header_problem(source, csv) }} as header_problem,
        {{ _mentions('text', source) }} > case when first_position = 0 then {{ _mentions('header', source) }} else 0 end as may_have_headers
    from named
),

lined as (
    select
        *,
        flatten(transform(pieces, (piece, i) -> {{ _lines_of_piece(source, csv) }})) as lines
    from judged_headers
),

bounded as (
    select
        *,
        case
            when later_header_at is not null or not may_have_headers then later_header_at
            else nullif(array_position(
                transform(lines, (line, i) -> i > 0 and {{ _is_another_header('line.record', 'header', source) }}), true
            ), 0) - 1
        end as other_header_at
    from lined
),

exploded as (
    select
        file_uri, file_size, file_modified_at, first_position, encoding, kind, header, header_count, header_problem, field_names,
        may_have_headers, other_header_at, position, line
    from bounded
    lateral view posexplode(lines) as position, line
),

valued as (
    select
        *,
        first_position + position as record_number,
        line.record as marked_record,
        line.fault as fault,
        {{ _csv_values('line.record', source, csv) }} as field_values
    from exploded
),

judged as (
    select
        *,
        case
            when header_problem is not null then header_problem
            when fault <> '' then fault
            when record_number >= other_header_at then 'other_header'
            when may_have_headers and {{ _bare_name('marked_record') }} = {{ _bare_name('header') }} then 'repeated_header'
            when {{ is_not_utf8('marked_record') }} then 'not_utf8'
            when size(field_values) > header_count then 'too_many_fields'
            when size(field_values) < header_count then 'too_few_fields'
        end as unreadable_reason
    from valued
    -- a header that cannot be used may be a record
    where record_number > 0 or header_problem is not null
),

records as (
    select
        *,
        {{ as_in_file('marked_record') }} as record,
        case
            when unreadable_reason is null then
                map_from_arrays(
                    field_names,
                    case when encoding is null then transform(field_values, field -> {{ as_in_file('field') }}) else field_values end
                )
        end as fields
    from judged
)
{%- endmacro -%}

{#- The values of a record, without their quotes; NULL for an empty one. -#}
{%- macro _csv_values(record, source, csv) -%}
{%- set quote = sql_literal(source.options.quote) -%}
{%- set content = 'regexp_extract(field, ' ~ sql_literal(csv.content) ~ ', 1)' -%}
transform(
            case
                when instr({{ record }}, {{ quote }}) = 0 then split({{ record }}, {{ sql_literal(csv.separator) }})
                else regexp_extract_all(concat({{ sql_literal(source.options.sep) }}, {{ record }}), {{ sql_literal(csv.field) }}, 1)
            end,
            field -> nullif(
                case
                    when instr(field, {{ quote }}) > 0 and field rlike {{ sql_literal(csv.quoted) }} then
                        {%- if source.options.escape == source.options.quote %}
                        replace({{ content }}, {{ sql_literal(source.options.quote * 2) }}, {{ quote }})
                        {%- else %}
                        regexp_replace(
                            {{ content }},
                            {{ sql_literal(modules.re.escape(source.options.escape) ~ '([' ~ modules.re.escape(source.options.escape ~ source.options.quote) ~ '])') }},
                            '$1'
                        )
                        {%- endif %}
                    else field
                end,
                ''
            )
        )
{%- endmacro -%}

{#- A name in the form in which names are compared: lower case, without blanks, quotes, line breaks and invisible characters. -#}
{%- macro _bare_name(name) -%}
lower(regexp_replace({{ name }}, '["\\s\\p{Z}\\p{C}]', ''))
{%- endmacro -%}

{%- macro _trimmed_name(name) -%}
regexp_replace({{ name }}, '^[\\s\\p{Z}\ufeff]+|[\\s\\p{Z}\ufeff]+\\z', '')
{%- endmacro -%}

{%- macro _bare_names(names) -%}
    {%- set plain = [] -%}
    {%- for name in names -%}{%- do plain.append(_bare_name(name)) -%}{%- endfor -%}
    {{- return('array(' ~ plain | join(', ') ~ ')') -}}
{%- endmacro -%}

{#- The declared name that this one stands for, otherwise the name itself. -#}
{%- macro _declared_name(name, source) -%}
    {%- if source.columns -%}
        coalesce(
                get(
                    array({{ source.columns | join(', ') }}),
                    cast(array_position({{ _bare_names(source.columns) }}, {{ _bare_name(name) }}) as int) - 1
                ),
                {{ name }}
            )
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro -%}

{#- A text counts as a header if it contains half of the required names, whatever separates them. -#}
{%- macro _is_header_by(record, separator, source) -%}
2 * size(array_intersect(
                    transform(split({{ record }}, {{ separator }}), name -> {{ _bare_name('name') }}), {{ _bare_names(_own_names(source)) }}
                )) >= {{ _own_names(source) | length }}
{%- endmacro -%}

{%- macro _own_names(source) -%}
    {{- return(source.required or source.columns[:1]) -}}
{%- endmacro -%}

{%- macro _is_another_header(record, header, source) -%}
    {%- if source.columns -%}
        {{ _is_header_by(record, sql_literal(modules.re.escape(source.options.sep)), source) }}
                    and {{ _bare_name(record) }} <> {{ _bare_name(header) }}
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro -%}

{#- How often a text contains declared names after a separator, a blank or a line end: a first, cheap search for headers in its middle. -#}
{%- macro _mentions(text, source) -%}
    {%- set patterns = [] -%}
    {%- for name in _own_names(source) -%}
        {%- set letters = [] -%}
        {%- for letter in name[1:-1] | replace(' ', '') -%}{%- do letters.append(modules.re.escape(letter)) -%}{%- endfor -%}
        {%- do patterns.append(letters | join('[\\s\\p{Z}\\p{C}]*')) -%}
    {%- endfor -%}
    {%- if patterns -%}
        regexp_count(
            {{ text }},
            {{ sql_literal('(?i)[\\s\\p{Z}\\p{C}' ~ modules.re.escape(source.options.sep[-1:] ~ source.options.quote) ~ '](?:' ~ patterns | join('|') ~ ')') }}
        )
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro -%}

{#- Position of the first header that differs from the one at the top, in a file that is read line by line. -#}
{%- macro later_header_over_lines(source) -%}
min(
                case
                    when position > 0 and {{ _mentions('content', source) }} > 0 and {{ _is_another_header('content', 'head', source) }}
                        then position
                end
            ) over (partition by file_uri)
{%- endmacro -%}

{#- Why no record of a file can be read. -#}
{%- macro _header_problem(source, csv) -%}
case
            when kind is not null then kind
            {%- if source.columns %}
            {%- set own = _own_names(source) %}
            when 2 * size(array_intersect(names, array({{ own | join(', ') }}))) < {{ own | length }} then
                case
                    {%- for separator, name in [(',', 'comma'), (';', 'semicolon'), ('\t', 'tab'), ('|', 'pipe')] if separator != source.options.sep %}
                    when {{ _is_header_by('header', sql_literal(modules.re.escape(separator)), source) }} then 'wrong_separator: {{ name }}'
                    {%- endfor %}
                    when {{ _quoting_fault('header', source, csv) }} <> '' then {{ _quoting_fault('header', source, csv) }}
                    when {{ is_not_utf8('header') }} then 'not_utf8'
                    when header_count > {{ source.max_columns }} then 'unreadable_header'
                    else 'unknown_header'
                end
            {%- endif %}
            when {{ _quoting_fault('header', source, csv) }} <> '' then {{ _quoting_fault('header', source, csv) }}
            when {{ is_not_utf8('header') }} then 'not_utf8'
            when header_count > {{ source.max_columns }} then 'unreadable_header'
            {%- if source.required %}
            when size(array_except(array({{ source.required | join(', ') }}), names)) > 0
                then concat('missing_column: ', array_join(array_except(array({{ source.required | join(', ') }}), names), '; '))
            {%- endif %}
            {%- if source.columns %}
            when exists(array({{ source.columns | join(', ') }}), name -> size(filter(names, other -> other = name)) > 1)
                then concat(
                    'repeated_column: ',
                    array_join(filter(array({{ source.columns | join(', ') }}), name -> size(filter(names, other -> other = name)) > 1), '; ')
                )
            {%- endif %}
            when size(array_distinct(transform(
                names, (name, i) -> case when array_position(names, name) = i + 1 then name else concat(name, '_', i + 1) end
            ))) < header_count then 'unreadable_header'
        end
{%- endmacro -%}

{#- How a text that begins like a record breaks the quoting; empty if it does not. -#}
{%- macro _quoting_fault(record, source, csv) -%}
case
                when instr({{ record }}, {{ sql_literal(source.options.quote) }}) = 0 or {{ record }} rlike {{ sql_literal(csv.record) }} then ''
                when {{ record }} rlike {{ sql_literal(csv.open_record) }} then 'unclosed_quote'
                else 'text_behind_quote'
            end
{%- endmacro -%}

{#- A piece unchanged, or its lines if it cannot be one record. -#}
{%- macro _lines_of_piece(source, csv) -%}
{%- set line_end = sql_literal(csv.line_end) -%}
{%- set fault = _quoting_fault('piece', source, csv) -%}
case
                when kind is not null or instr(piece, {{ sql_literal(source.options.quote) }}) = 0 then array({{ _line('piece', "''") }})
                when {{ fault }} <> '' or (i = 0 and header_problem is not null) then
                    transform(
                        filter(split(piece, {{ line_end }}), line -> not {{ is_blank('line') }}), line -> {{ _line('line', fault) }}
                    )
                when i > 0 and piece rlike '[\\r\\n]' and {{ _holds_records('split(piece, ' ~ line_end ~ ')', csv) }} then
                    transform(
                        filter(split(piece, {{ line_end }}), line -> not {{ is_blank('line') }}),
                        line -> {{ _line('line', "'records_in_quotes'") }}
                    )
                else array({{ _line('piece', "''") }})
            end
{%- endmacro -%}

{#- The empty text at the end makes every fault nullable: Sail cannot concatenate lists that differ in that. -#}
{%- macro _line(record, fault) -%}
struct({{ record }} as record, concat({{ fault }}, substring({{ record }}, 1, 0)) as fault)
{%- endmacro -%}

{#- Whether lines of one record look like records: one in its middle does, or both the first and the last. A record has as many fields as the
    header; in a narrow file, where any text might, it must also begin with a number as the first line does. -#}
{%- macro _holds_records(lines, csv) -%}
(
                    exists(slice({{ lines }}, 2, greatest(size({{ lines }}) - 2, 0)), line -> {{ _is_like_record('line', lines, csv) }})
                    or ({{ _is_like_record(lines ~ '[0]', lines, csv) }} and {{ _is_like_record('element_at(' ~ lines ~ ', -1)', lines, csv) }})
                )
{%- endmacro -%}

{%- macro _is_like_record(line, lines, csv) -%}
{%- set separator = sql_literal(csv.separator) -%}
(
                        size(split({{ line }}, {{ separator }})) = header_count
                        and (
                            header_count > 3
                            or header_count > 1
                            and {{ line }} rlike '^[^0-9]{0,9}[0-9]'
                            and regexp_replace(split({{ line }}, {{ separator }})[0], '[0-9]+', '9')
                            = regexp_replace(split({{ lines }}[0], {{ separator }})[0], '[0-9]+', '9')
                        )
                    )
{%- endmacro -%}

{#- Regular expressions for CSV by RFC 4180, with blanks allowed around a quoted field, and quotes as ordinary characters inside a field that
    does not begin with one. Possessive (`more`) in Java, which would otherwise backtrack or recurse for each repetition; Rust never
    backtracks and has no such syntax. -#}
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
        'piece': '(' ~ (modules.re.escape(options.comment) ~ '[^\\r\\n]*|' if options.comment else '') ~ record
            ~ '|' ~ fields ~ quoted ~ '[^\\r\\n]*' ~ more
            ~ '|' ~ fields ~ blanks ~ quote ~ '[\\s\\S]*' ~ more
            ~ ')(?:\\r\\n|\\n|\\r|\\z)',
    }) -}}
{%- endmacro -%}
