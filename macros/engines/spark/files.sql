{#- Of a file with any text Spark reads a line. A gzip or bzip2 file of no text has none: the first ends in its length, the
    second is always of one size. -#}
{%- macro spark__seen_files_sql(source, files) -%}
    {%- set folder = source.folder | replace('`', '``') -%}
    {%- set options = [] -%}
    {%- for name, value in _reader_settings().items() -%}{%- do options.append(sql_literal(name) ~ ' = ' ~ sql_literal(value)) -%}{%- endfor -%}
    select {{ source_file_of('file_uri') }} as source_file, max(file_size) as file_size
    from (
        select _metadata.file_path as file_uri, _metadata.file_size as file_size
        from text.`{{ folder }}` with ({{ options | join(', ') }})
        where {{ _is_one_of(files) }}
        union all
        select _metadata.file_path, length
        from binaryFile.`{{ folder }}` with ({{ options | join(', ') }})
        where {{ _is_one_of(files) }}
            and length < 1000
            and (hex(content) like '1F8B%00000000' or hex(content) like '425A68%' and length = 14)
    )
    group by file_uri
{%- endmacro -%}

{#- New files of a source. A folder that does not exist yet is an empty one: the handler catches just that error. -#}
{%- macro spark__list_files_sql(source) -%}
begin
    declare exit handler for path_not_found
    begin
        select '' as file_uri, '' as source_file, 0 as file_size, '' as file_modified_at, 0 as known_size where false;
    end;
    {{ new_among(source, _listing(source)) }};
end
{%- endmacro -%}

{%- macro _listing(source) -%}
    select
        _metadata.file_path as file_uri,
        {{ source_file_of('_metadata.file_path') }} as source_file,
        length as file_size,
        modificationTime as file_modified_at
    from binaryFile.`{{ source.folder | replace('`', '``') }}` with (recursiveFileLookup = 'true')
{%- endmacro -%}
