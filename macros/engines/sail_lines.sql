{#- The records of the files of a batch, each with its place in the file. A CSV record ends at a line end outside of quotes. -#}
{%- macro sail_lines(source, files) -%}
    {%- do _sail_refuse_options(source) -%}
    {%- set contents = sail_contents(source, files) -%}
    {%- if source.format == 'csv' -%}
        {%- set field = '(?:' ~ sail_csv_field(source.options.sep) ~ ')' -%}
        {%- set record = field ~ '(?:' ~ modules.re.escape(source.options.sep) ~ field ~ ')*(?:\\r\\n|\\n|\\r|\\z)' -%}
        {%- set split = 'regexp_extract_all(content, ' ~ sql_literal(record) ~ ', 0)' -%}
    {%- else -%}
        {%- set split = "split(content, '\\\\r\\\\n|\\\\n|\\\\r')" -%}
    {%- endif -%}
    select * from (
        select
            file_path as file_uri,
            file_size,
            cast(file_modified_at as timestamp) as file_modified_at,
            cast(0 as bigint) as block_start,
            position,
            {{ "regexp_replace(line, '(\\\\r\\\\n|\\\\n|\\\\r)$', '')" if source.format == 'csv' else 'line' }} as record
        from (
            select
                file_path, file_size, file_modified_at,
                case when problem is null then content else raise_error(problem) end as content
            from {{ contents }}
        )
        lateral view posexplode({{ split }}) as position, line
    )
    {%- if source.format == 'csv' %}
    where record <> ''
    {%- endif %}
{%- endmacro -%}

{#- What Spark's reader can and this cannot. -#}
{%- macro _sail_refuse_options(source) -%}
    {%- for name, value in source.options.items() if (name != 'sep' and value != '"') or value | length != 1 -%}
        {{- exceptions.raise_compiler_error(
            "Source " ~ source.name ~ ": the option " ~ name ~ " = '" ~ value ~ "' is not known on Sail, only sep (one character) with the"
            ~ " quote and escape \". Build this source on Spark: --target local."
        ) -}}
    {%- endfor -%}
{%- endmacro -%}
