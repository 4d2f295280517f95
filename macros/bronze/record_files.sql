{#- Enters files into the ledger, and before them the fields that their records have, after their batch is in bronze. With a plan: the
    files of this run, also those that hold no record. Without: what an interrupted run left out, from bronze itself. -#}
{%- macro record_files(bronze, source_name, batch_id, files=none) -%}
    {%- for table in [bronze, file_ledger(), batch_fields()] -%}{%- do name_table(table) -%}{%- endfor -%}
    {%- if files and _batch_is_foreign(bronze, batch_id) -%}
        {{- exceptions.raise_compiler_error(
            "Another build wrote batch " ~ batch_id ~ " of " ~ bronze ~ " at the same time. Nothing was written twice; run this build again."
        ) -}}
    {%- endif -%}
    {%- set newest_written = assert_all_read(bronze, source_name, batch_id, files) -%}
    {%- do record_fields(bronze, source_name, batch_id, after_kill=not files) -%}
    {%- call statement('record_files') -%}
        insert into {{ file_ledger() }}
        with ingested as (
            select
                source_file,
                batch_id,
                max(file_size) as file_size,
                max(file_modified_at) as file_modified_at,
                count(*) as record_count,
                count(unreadable_reason) as unreadable_count,
                max(ingested_at) as ingested_at
            from {{ bronze }}
            where batch_id >= {{ batch_id }}
            group by source_file, batch_id
        )
        {%- if not files %}

        select '{{ source_name }}', source_file, batch_id, file_size, file_modified_at, record_count, unreadable_count, ingested_at
        from ingested
        {%- else %}

        select
            '{{ source_name }}',
            listed.source_file,
            {{ batch_id }},
            listed.file_size,
            cast(listed.file_modified_at as timestamp),
            coalesce(ingested.record_count, 0),
            coalesce(ingested.unreadable_count, 0),
            coalesce(ingested.ingested_at, current_timestamp())
        from values
            {%- for file in files %}
            ({{ sql_literal(file['source_file']) }}, {{ file['size'] }}, '{{ file['modified_at'] }}'){{ ',' if not loop.last }}
            {%- endfor %}
            as listed(source_file, file_size, file_modified_at)
        left join ingested on listed.source_file = ingested.source_file
        {%- endif %}
    {%- endcall -%}
    {%- do run_memory('newest').update({bronze.identifier: newest_written}) -%}
{%- endmacro -%}

{#- Two builds that found the same batch free: Delta took the first insert and skipped the second. -#}
{%- macro _batch_is_foreign(bronze, batch_id) -%}
    {%- set writers = batch_commits(bronze) | selectattr('batch_id', 'equalto', batch_id) | map(attribute='invocation_id') | list -%}
    {{- return(writers != [] and invocation_id not in writers) -}}
{%- endmacro -%}
