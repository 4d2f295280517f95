{#- Text by pattern: one record per line, whose fields are the named groups of a regular expression that must match the whole line. -#}
{%- macro text_records(contents, source) -%}
{%- set pattern = text_pattern(source.options.pattern) -%}
{%- set line = sql_literal(on_engine('pattern_flags') ~ '^(?:' ~ pattern.plain ~ ')\\z') -%}
{{ landing_texts(contents, source) }},

exploded as (
    select file_uri, file_size, file_modified_at, first_position, encoding, kind, position, line
    from texts
    lateral view posexplode(
        case when kind is not null then array(substring(text, 1, 1000)) else split(text, '\\r\\n|\\n|\\r') end
    ) as position, line
),

judged as (
    select
        *,
        first_position + position + 1 as record_number,
        {{ as_in_file('line') }} as record,
        case
            when kind is not null then kind
            when {{ is_not_utf8('line') }} then 'not_utf8'
            when not line rlike {{ line }} then 'pattern_not_matched'
        end as unreadable_reason
    from exploded
    where not {{ is_blank('line') }}
),

records as (
    select
        *,
        case
            when unreadable_reason is null then map(
                {%- for name, number in pattern.groups.items() %}
                {{ sql_literal(name) }}, nullif(regexp_extract(record, {{ line }}, {{ number }}), ''){{ ',' if not loop.last }}
                {%- endfor %}
            )
        end as fields
    from judged
)
{%- endmacro -%}

{#- A declared pattern, or a ready one by its name, as a dict: `plain`, without the names of its groups, which the engines write differently,
    and `groups`, the number of each name. -#}
{%- macro text_pattern(pattern) -%}
    {%- set more = on_engine('possessive') -%}
    {%- set quoted = '(?:[^"\\\\]+' ~ more ~ '|\\\\.)*' ~ more -%}
    {%- set request = '(?<method>[A-Z]+) (?<path>(?:[^"\\\\ ]+' ~ more ~ '|\\\\.)+' ~ more ~ ')(?: (?<protocol>[A-Z]+/[0-9.]+))?' -%}
    {%- set common = '(?<host>[^ ]+) (?<ident>[^ ]+) (?<user>[^\\[]+) \\[(?<time>[^\\]]+)\\] "(?<request>' ~ request ~ '|' ~ quoted
        ~ ')" (?<status>[0-9]{3}) (?<bytes>[0-9]+|-)' -%}
    {%- set ready = {'common': common, 'combined': common ~ ' "(?<referer>' ~ quoted ~ ')" "(?<user_agent>' ~ quoted ~ ')"'} -%}
    {%- set text = ready.get(pattern, pattern) -%}
    {%- set numbers = {} -%}
    {%- set opened = [] -%}
    {#- escapes and classes are passed over: a bracket in them opens nothing -#}
    {%- for bracket, name in modules.re.findall('\\\\.|\\[\\^?\\]?(?:\\\\.|[^\\]])*\\]|(\\((?:\\?P?<(\\w+)>|\\?)?)', text) if bracket and (name or bracket == '(') -%}
        {%- do opened.append(name) -%}
        {%- if name -%}{%- do numbers.update({name: opened | length}) -%}{%- endif -%}
    {%- endfor -%}
    {{- return({'plain': modules.re.sub('\\(\\?P?<\\w+>', '(', text), 'groups': numbers, 'names': opened | select | list}) -}}
{%- endmacro -%}
