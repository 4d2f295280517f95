{%- macro sail__landing_contents(source, files, later_header) -%}
    select
        file_path as file_uri,
        file_size,
        cast(file_modified_at as timestamp) as file_modified_at,
        cast(0 as bigint) as first_position,
        {{ size_when_read('file_path', 'file_size') }} > {{ whole_file_bytes() }} as is_by_line,
        case when problem is null then content else raise_error(problem) end as content,
        single_bytes,
        is_utf8,
        {{ is_mixed('content') }} as is_mixed,
        {{ is_windows_1252('single_bytes') }} as is_windows_1252,
        cast(null as string) as head,
        cast(null as string) as head_bytes,
        cast(null as bigint) as later_header_at
    from {{ sail_contents(source, files) }}
{%- endmacro -%}

{#- A view of the contents of some files of a source, whole, and not read until it is queried. -#}
{%- macro sail_contents(source, files) -%}
    {%- set contents = make_temp_relation(this, '__contents') -%}
    {%- do run_query(
        'create or replace temporary view ' ~ contents ~ ' using landing_contents options (path '
        ~ sql_literal(source.folder) ~ ', files ' ~ sql_literal(tojson(files | map(attribute='uri') | list)) ~ ')'
    ) -%}
    {{- return(contents) -}}
{%- endmacro -%}

{#- Rows of one of the data sources in scripts/sail_sources.py, for a folder. -#}
{%- macro sail_source(source, folder) -%}
    {{- return(source ~ '.`' ~ folder | replace('`', '``') ~ '`') -}}
{%- endmacro -%}

{%- macro sail__seen_files_sql(source, files) -%}
    select file_path as path, file_size
    from {{ sail_contents(source, files) }}
    where problem is null
{%- endmacro -%}

{#- Empty files are not listed; Spark doesn't list them either. -#}
{%- macro sail__listing(source) -%}
    select
        file_path as file_uri,
        file_path as path,
        file_size,
        cast(file_modified_at as timestamp) as file_modified_at
    from (
        select case when problem is null then file_path else raise_error(problem) end as file_path, file_size, file_modified_at
        from {{ sail_source('landing_files', landing_root() ~ '#' ~ source.path) }}
        where file_size > 0 or problem is not null
    )
{%- endmacro -%}

{%- macro sail__plain_path(uri) -%}
    {{- return(uri) -}}
{%- endmacro -%}

{#- The listing itself reports a missing landing root. -#}
{%- macro sail__or_no_files(query, no_rows, no_root) -%}
    {{ query }}
{%- endmacro -%}

{%- macro sail__assert_names_are_read() -%}{%- endmacro -%}

{%- macro sail__takes_long_separators() -%}
    {{- return(false) -}}
{%- endmacro -%}

{#- What makes a repetition of a regular expression possessive. -#}
{%- macro sail__possessive() -%}
    {{- return('') -}}
{%- endmacro -%}

{#- Flags of a declared pattern: a dot is any character. -#}
{%- macro sail__pattern_flags() -%}
    {{- return('(?s)') -}}
{%- endmacro -%}

{#- Expression for the number of a row in its Parquet file. -#}
{%- macro sail__row_in_file() -%}
row_number() over (order by monotonically_increasing_id())
{%- endmacro -%}

{%- macro sail__row_as_json(row) -%}
to_json({{ row }})
{%- endmacro -%}

{#- to_json makes a double of a decimal, which is read as text unless it lies within another value. -#}
{%- macro sail__assert_exact_json(source_file, column, type) -%}
    {%- if 'decimal' in type and not type.startswith('decimal') -%}
        {{- exceptions.raise_compiler_error(
            'Sail would round the decimals in column ' ~ column ~ ' of ' ~ source_file ~ ', and nothing was written. Build this source on Spark: --target local.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
