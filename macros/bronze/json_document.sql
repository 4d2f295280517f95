{#- JSON documents: a file holds one document or several, over any number of lines. The records are the elements of a list, which is the
    document itself or lies under a declared path; a document that is an object is one record. A parser would rewrite numbers, so texts are
    cut by regular expressions, and each record is then judged by itself: a broken one does not take the others with it. A text whose
    brackets don't match cannot be cut, and is one record. -#}
{%- macro json_document_records(contents, source) -%}
{%- set json = _json_patterns() -%}
{{ landing_texts(contents, source) }},

cut as (
    select
        *,
        case
            when kind is not null then array(substring(text, 1, 1000))
            when text rlike {{ sql_literal('^[\\s\ufeff]*(?:' ~ json.value ~ '\\s*)*' ~ json.more ~ '\\z') }}
                then regexp_extract_all(text, {{ sql_literal('(' ~ json.value ~ ')') }}, 1)
        end as documents
    from texts
    where not {{ is_blank('text') }}
),

opened as (
    select
        file_uri, file_size, file_modified_at, encoding, kind, is_cut, document_number, document,
        case when is_cut then {{ _value_under('document', source.options.get('records', '$'), json) }} end as list
    from (
        select
            file_uri, file_size, file_modified_at, encoding, kind, documents is not null as is_cut,
            coalesce(documents, array(text)) as documents
        from cut
    )
    lateral view posexplode(documents) as document_number, document
),

elements as (
    select
        file_uri, file_size, file_modified_at, encoding, kind, is_cut, list is null as is_missing, document_number, element_number, element
    from (
        select
            *,
            case
                when is_cut and list rlike '^\\[[\\s\\S]*\\]\\z' then filter(
                    transform(
                        regexp_extract_all(regexp_extract(list, '^\\[([\\s\\S]*)\\]\\z', 1), {{ sql_literal('(' ~ json.element ~ ')') }}, 1),
                        element -> regexp_replace(element, '^\\s+|\\s+\\z', '')
                    ),
                    element -> element <> ''
                )
                else array(coalesce(list, document))
            end as list_elements
        from opened
    )
    lateral view posexplode(list_elements) as element_number, element
),

records as (
    select
        *,
        row_number() over (partition by file_uri order by document_number, element_number) as record_number,
        {{ as_in_file('element') }} as record,
        case
            when kind is not null then kind
            when {{ is_not_utf8('element') }} then 'not_utf8'
            when {{ _is_malformed('element') }} then 'malformed_json'
            when not is_cut and element rlike '^\\s*[{\\[]' then 'nested_too_deep'
            {%- if source.options.get('records') %}
            when is_missing then {{ sql_literal('no_records_at: ' ~ source.options.records) }}
            {%- endif %}
            when not element rlike '^\\s*[{]' then 'not_a_json_object'
        end as unreadable_reason
    from elements
)
{%- endmacro -%}

{#- What stands under a path such as $.data.orders if it is an object or a list, as it is written; NULL if it is not there, or not once. -#}
{%- macro _value_under(document, path, json) -%}
    {%- set found = namespace(value=document) -%}
    {%- for name in path.split('.')[1:] -%}
        {%- set members -%}
            regexp_extract_all(regexp_extract({{ found.value }}, '^\\{([\\s\\S]*)\\}\\z', 1), {{ sql_literal('(' ~ json.member ~ ')') }}, 1)
        {%- endset -%}
        {%- set named -%}
            filter({{ members }}, member -> member rlike {{ sql_literal('^"' ~ modules.re.escape(name) ~ '"\\s*:\\s*[\\[{]') }})
        {%- endset -%}
        {%- set found.value = "regexp_extract(array_join(" ~ named ~ ", ''), " ~ sql_literal('^' ~ json.string ~ '\\s*:\\s*(' ~ json.value ~ ')\\s*\\z') ~ ', 1)' -%}
    {%- endfor -%}
    {{- return("nullif(" ~ found.value ~ ", '')" ) -}}
{%- endmacro -%}

{#- Regular expressions for JSON, to which a bracket of either kind closes either kind; the records are judged by a parser. Possessive (`more`)
    in Java, which would otherwise recurse for each repetition. -#}
{%- macro _json_patterns() -%}
    {%- set more = on_engine('possessive') -%}
    {%- set string = '"(?:[^"\\\\]+' ~ more ~ '|\\\\[\\s\\S])*' ~ more ~ '"' -%}
    {%- set plain = '[^"\\[\\]{}]+' ~ more -%}
    {%- set nested = namespace(value='[\\[{](?:' ~ plain ~ '|' ~ string ~ ')*' ~ more ~ '[\\]}]') -%}
    {%- for level in range(1, 40) -%}
        {%- set nested.value = '[\\[{](?:' ~ plain ~ '|' ~ string ~ '|' ~ nested.value ~ ')*' ~ more ~ '[\\]}]' -%}
    {%- endfor -%}
    {%- set element = '(?:[^",\\[\\]{}]+' ~ more ~ '|' ~ string ~ '|' ~ nested.value ~ ')+' ~ more -%}
    {{- return({
        'more': more, 'string': string, 'value': nested.value, 'element': element, 'member': string ~ '\\s*:' ~ element,
    }) -}}
{%- endmacro -%}
