{#- Parquet: a record is a row as JSON text without its NULLs. Each file is read by its own columns, whose types stand beside the record. Decimals are
    texts, because a JSON number may be rounded by whoever reads it; of a float each engine would write other digits. The contents as text are of no use here. -#}
{%- macro parquet_records(contents, source) -%}
{%- set problems = _not_parquet(source.files) -%}
records as (
    {%- for file in source.files %}
    {%- set uri, path = sql_literal(file.uri), _engine_path(file) %}
    {{- ' union all' if not loop.first }}
    select
        {{ uri }} as file_uri, cast({{ file['size'] }} as bigint) as file_size, cast('{{ file.modified_at }}' as timestamp) as file_modified_at,
        {%- if file.uri in problems %}
        cast(1 as bigint) as record_number, beginning as record, '{{ problems[file.uri] }}' as unreadable_reason, cast(null as string) as types
    from (select distinct substring({{ _bytes() }}, 1, 1000) as beginning from binaryFile.`{{ path }}`)
        {%- else %}
        {%- set columns = _parquet_columns(file, path) %}
        cast({{ on_engine('row_in_file') }} as bigint) as record_number, {{ on_engine('row_as_json', 'struct(' ~ columns.sql ~ ')') }} as record,
        cast(null as string) as unreadable_reason, {{ sql_literal(columns.types) }} as types
    from parquet.`{{ path }}`
        {%- endif %}
    {%- endfor %}
)
{%- endmacro -%}

{#- Each byte as the character of that number. -#}
{%- macro _bytes() -%}
decode(content, 'ISO-8859-1')
{%- endmacro -%}

{#- The files that are no Parquet by their first and last bytes, and the reason of each. -#}
{%- macro _not_parquet(files) -%}
    {%- set query -%}
        select
            file_uri,
            case
                when not startswith(bytes, 'PAR1') then coalesce({{ _kind_of_file('bytes') }}, 'not_parquet')
                when not endswith(bytes, 'PAR1') or length(bytes) < 12 then 'truncated_parquet'
            end as problem
        from (
            {%- for file in files %}
            {{- ' union all' if not loop.first }}
            select {{ sql_literal(file.uri) }} as file_uri, {{ _bytes() }} as bytes from binaryFile.`{{ _engine_path(file) }}`
            {%- endfor %}
        )
    {%- endset -%}
    {%- set problems = {} -%}
    {%- for file in run_query('select * from (' ~ query ~ ') where problem is not null').rows -%}
        {%- do problems.update({file['file_uri']: file['problem']}) -%}
    {%- endfor -%}
    {{- return(problems) -}}
{%- endmacro -%}

{#- Both engines take some characters of a path for a pattern or a code, and would read other files or none. -#}
{%- macro _engine_path(file) -%}
    {%- set path = landing_root() ~ '/' ~ file.source_file -%}
    {%- if modules.re.search('[][*?{}\\\\%#:`]', path.split('://')[-1]) -%}
        {{- exceptions.raise_compiler_error(
            'Parquet files cannot be read under a path with one of * ? [ ] { } \\ % # : `, and nothing was written: rename ' ~ file.source_file ~ ' and build again.'
        ) -}}
    {%- endif -%}
    {{- return(path) -}}
{%- endmacro -%}

{#- The columns of a file: as SQL, and with their `types` in words. -#}
{%- macro _parquet_columns(file, path) -%}
    {%- set view = make_temp_relation(this, '__file') -%}
    {%- do run_query('create or replace temporary view ' ~ view ~ ' as select * from parquet.`' ~ path ~ '`') -%}
    {%- set values = [] -%}
    {%- set types = [] -%}
    {%- for column in run_query('describe table ' ~ view).rows -%}
        {%- set name, type = adapter.quote(column[0] | replace('`', '``')), column[1] -%}
        {%- do on_engine('assert_exact_json', file.source_file, column[0], type) -%}
        {%- set json_type = 'string' if type.startswith('decimal') else 'double' if type == 'float' else type -%}
        {%- do values.append('cast(' ~ name ~ ' as ' ~ json_type ~ ') as ' ~ name if json_type != type else name) -%}
        {%- do types.append(column[0] ~ ' ' ~ type) -%}
    {%- endfor -%}
    {{- return({'sql': values | join(', '), 'types': types | join(', ')}) -}}
{%- endmacro -%}
