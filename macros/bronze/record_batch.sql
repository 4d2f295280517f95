{#- After a batch is in bronze: enters the fields of its records, and then its files into the file ledger. With `files`: those of this run,
    including files without records. Without: what an interrupted run left out, from bronze itself. -#}
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

{#- Two builds found the same batch number free: Delta accepted the first INSERT and skipped the second. -#}
{%- macro _batch_is_foreign(bronze, batch_id) -%}
    {%- set writers = batch_commits(bronze) | selectattr('batch_id', 'equalto', batch_id) | map(attribute='invocation_id') | list -%}
    {{- return(writers != [] and invocation_id not in writers) -}}
{%- endmacro -%}

{#- Nothing is entered into the ledger that was not read: a file without records counts as read only if the engine finds it again as it was
    listed. And a batch is in bronze once. In most runs this is one small query. -#}
{%- macro assert_all_read(bronze, source_name, batch_id, files) -%}
    {%- set found = run_query(
        'select count(distinct source_file) as file_count, count(distinct batch_id) as batch_count, '
        ~ 'count(distinct batch_id, ingested_at) as write_count, coalesce(max(batch_id), 0) as newest from ' ~ bronze ~ ' where batch_id >= ' ~ batch_id
    ).rows[0] -%}
    {#- From Spark, Delta accepts a batch only once. On Sail a second build, or a server whose client was killed, could write it again; each
        INSERT has its own time. -#}
    {%- if found['write_count'] > found['batch_count'] -%}
        {{- exceptions.raise_compiler_error(
            bronze ~ ' holds batch ' ~ batch_id ~ ' more than once: two builds wrote to it at the same time. Its files are not in the '
            ~ 'ledger, and nothing that reads '
            ~ bronze.identifier ~ ' was built. Undo the batch and build again, one build at a time: restore table ' ~ bronze ~ ' to version as of '
            ~ _version_before(bronze, batch_id) ~ ' (Spark SQL).'
        ) -}}
    {%- elif files and found['file_count'] < files | length -%}
        {%- set read = set(run_query('select distinct source_file from ' ~ bronze ~ ' where batch_id = ' ~ batch_id).columns[0].values()) -%}
        {%- do _assert_without_records(source_name, files | rejectattr('source_file', 'in', read) | list) -%}
    {%- endif -%}
    {#- a batch without records leaves bronze unchanged -#}
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
            ~ '. Either they disappeared or changed at that moment, or their compression is not what their name says. '
            ~ 'Nothing was entered into the ledger. Build again; if they are named again, replace or remove them.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{#- The newest version of the table without the batch; in words if that version can no longer be read. -#}
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

{#- The newest commits of a bronze table that wrote a batch, with `batch_id` and `invocation_id` from their metadata; none on an engine that
    does not write them. -#}
{%- macro batch_commits(bronze) -%}
    {%- set batches = [{'batch_id': 0, 'invocation_id': none}] -%}
    {%- set commits = commits_of(bronze, 50) if on_engine('keeps_commit_words') else [] -%}
    {%- for commit in commits if commit.user_metadata.get('batch_id') -%}
        {%- do batches.append({
            'batch_id': commit.user_metadata['batch_id'] | int, 'invocation_id': commit.user_metadata.get('invocation_id'),
        }) -%}
    {%- endfor -%}
    {{- return(batches) -}}
{%- endmacro -%}

{#- Enters which fields the records of new batches have, how often and with which types; for JSON also those of nested objects (`buyer.ref`)
    and of objects in a list (`lines[].sku`), as deep as the source declares fields. A killed run may have entered them already. The INSERT
    itself doesn't check that, because Delta would then refuse the other sources that write at the same time. -#}
{%- macro record_fields(bronze, source_name, batch_id, after_kill=false) -%}
    {%- if after_kill -%}
        {%- set recorded = run_query('select coalesce(max(batch_id), 0) from ' ~ batch_fields() ~ " where source = '" ~ source_name ~ "'").rows[0][0] -%}
        {%- set batch_id = [batch_id, recorded | int + 1] | max -%}
    {%- endif -%}
    {%- set source = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') | selectattr('name', 'equalto', source_name) | first -%}
    {#- as deep as the declared fields lie, and at least the objects of a list -#}
    {%- set depths = [2] -%}
    {%- for name in source.columns -%}{%- do depths.append(modules.re.findall('[.]|\\[\\]', name) | length) -%}{%- endfor -%}
    {%- set levels = depths | max -%}
    {%- call statement('record_fields') -%}
        insert into {{ batch_fields() }}
        with landed as (
            select * from {{ bronze }} where batch_id >= {{ batch_id }} and unreadable_reason is null
        ),

        {% if formats()[source.config.meta['format']].has_fields -%}
        headers as (
            select batch_id, map_keys(fields) as names, count(*) as record_count from landed group by batch_id, map_keys(fields)
        ),

        named as (
            select batch_id, field, array('text') as types, record_count from headers lateral view explode(names) as field
        ),
        {%- else -%}
        shaped as (
            select
                batch_id,
                record,
                -- a number is a number; a name in backticks is left alone
                regexp_replace(
                    schema_of_variant(try_parse_json(record)),
                    '(`[^`]*`)|(: |<)(?:BIGINT|DOUBLE|FLOAT|DECIMAL[(][0-9,]+[)])([,>])',
                    '$1$2$3'
                ) as shape
            from landed
        ),

        -- records of one shape have the same fields and types, so one is taken apart for all; a list of mixed values has no shape
        samples as (
            select batch_id, min(record) as record, count(*) as record_count
            from shaped
            group by batch_id, shape, case when contains(shape, 'VARIANT') then record end
        ),

        members as (
            select samples.*, member.key as field, false as is_element, member.value
            from samples, lateral variant_explode(try_parse_json(samples.record)) as member
        ),

        {% for level in range(1, levels + 1) -%}
        members_{{ level }} as (
            select
                above.batch_id,
                above.record,
                above.record_count,
                concat(above.field, coalesce(concat('.', member.key), '[]')) as field,
                member.key is null as is_element,
                member.value
            from {{ 'members_' ~ (level - 1) if level > 1 else 'members' }} as above, lateral variant_explode(above.value) as member
        ),

        {% endfor -%}
        known as (
            select * from members
            {%- for level in range(1, levels + 1) %}
            union all
            select * from members_{{ level }} where not is_element
            {%- endfor %}
        ),

        typed as (
            select *, {{ _kind_of_value('schema_of_variant(value)') }} as type from known
        ),

        named as (
            select batch_id, field, collect_set(type) as types, record_count
            from typed
            group by batch_id, record, record_count, field
        ),
        {%- endif %}

        counted as (
            select
                batch_id,
                field,
                array_join(array_sort(array_distinct(flatten(collect_list(types)))), ' or ') as types,
                sum(record_count) as record_count
            from named
            group by batch_id, field
        )

        select '{{ source_name }}', batch_id, field, types, record_count, current_timestamp() from counted
    {%- endcall -%}
{%- endmacro -%}

{#- NULL for null, which fits any type. -#}
{%- macro _kind_of_value(type) -%}
case
                    when {{ type }} = 'VOID' then null
                    when {{ type }} = 'STRING' then 'text'
                    when {{ type }} = 'BOOLEAN' then 'boolean'
                    when {{ type }} like 'OBJECT%' then 'object'
                    when {{ type }} like 'ARRAY%' then 'array'
                    else 'number'
                end
{%- endmacro -%}
