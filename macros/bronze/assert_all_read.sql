{#- Nothing is entered into the ledger that was not read: a file without a record counts as read only if the engine finds it again,
    as it was listed. And a batch is in bronze once. In most runs one small query. -#}
{%- macro assert_all_read(bronze, source_name, batch_id, files) -%}
    {%- set found = run_query(
        'select count(distinct source_file) as file_count, count(distinct batch_id) as batch_count, '
        ~ 'count(distinct batch_id, ingested_at) as write_count, coalesce(max(batch_id), 0) as newest from ' ~ bronze ~ ' where batch_id >= ' ~ batch_id
    ).rows[0] -%}
    {#- Delta itself takes a batch once from Spark. On Sail a second build could write it again, or a server whose client was killed;
        each INSERT has its own time. -#}
    {%- if found['write_count'] > found['batch_count'] -%}
        {{- exceptions.raise_compiler_error(
            bronze ~ ' holds batch ' ~ batch_id ~ ' more than once: two builds wrote to it at the same time. Its files are not in the ledger, and nothing that reads '
            ~ bronze.identifier ~ ' was built. Take the batch back and build again, one build at a time: restore table ' ~ bronze ~ ' to version as of '
            ~ _version_before(bronze, batch_id) ~ ' (Spark SQL).'
        ) -}}
    {%- elif files and found['file_count'] < files | length -%}
        {%- set read = set(run_query('select distinct source_file from ' ~ bronze ~ ' where batch_id = ' ~ batch_id).columns[0].values()) -%}
        {%- do _assert_without_records(source_name, files | rejectattr('source_file', 'in', read) | list) -%}
    {%- endif -%}
    {#- a batch without a record leaves bronze as it was -#}
    {{- return([found['newest'] | int, books_of(source_name)['written']] | max) -}}
{%- endmacro -%}

{%- macro _assert_without_records(source_name, files) -%}
    {%- set node = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') | selectattr('name', 'equalto', source_name) | first -%}
    {%- set source = landing_source(node) -%}
    {%- set seen = set([]) -%}
    {%- for file in run_query('select ' ~ source_file_of('path') ~ ' as source_file, file_size from (' ~ on_engine('seen_files_sql', source, files) ~ ') as seen').rows -%}
        {%- do seen.add((file['source_file'], file['file_size'] | int)) -%}
    {%- endfor -%}
    {%- set missed = [] -%}
    {%- for file in files if (file['source_file'], file['size']) not in seen -%}
        {%- do missed.append(file['source_file']) -%}
    {%- endfor -%}
    {%- if missed -%}
        {{- exceptions.raise_compiler_error(
            'Files of source ' ~ source_name ~ ' were listed, and then nothing was read from them: ' ~ missed[:10] | join(', ')
            ~ '. Either they went away or changed at that moment, or their compression is not what their name says. '
            ~ 'Nothing was entered into the ledger: build again, and if they are named again replace them or take them away.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{#- The newest version of the table that does not hold the batch yet; in words, where it cannot be read any more. -#}
{%- macro _version_before(bronze, batch_id) -%}
    {%- set found = [] -%}
    {%- for commit in commits_of(bronze, 50) if commit.is_readable and not found -%}
        {%- set newest = run_query('select max(batch_id) from ' ~ bronze ~ ' version as of ' ~ commit.version).rows[0][0] -%}
        {%- if (newest or 0) | int < batch_id -%}
            {%- do found.append(commit.version) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found | first | default('the newest without that batch')) -}}
{%- endmacro -%}
