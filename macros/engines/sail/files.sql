{%- macro sail__seen_files_sql(source, files) -%}
    select {{ source_file_of('file_path') }} as source_file, file_size
    from {{ sail_contents(source, files) }}
    where problem is null
{%- endmacro -%}

{%- macro sail__list_files_sql(source) -%}
{{ new_among(source, _sail_listing(source)) }}
{%- endmacro -%}

{#- A file without any byte is not listed, as Spark does not list it either. -#}
{%- macro _sail_listing(source) -%}
    select
        file_path as file_uri,
        {{ source_file_of('file_path') }} as source_file,
        file_size,
        cast(file_modified_at as timestamp) as file_modified_at
    from (
        select case when problem is null then file_path else raise_error(problem) end as file_path, file_size, file_modified_at
        from {{ sail_source('landing_files', source.folder) }}
        where file_size > 0 or problem is not null
    )
{%- endmacro -%}
