{#- The whole of a bronze model: the records of a source's files that were not ingested before. -#}
{%- macro read_new_files(relation) -%}
    {%- set window = ask_for_window({'kind': 'files', 'source': relation, 'asked_by': "read_new_files('" ~ relation.identifier ~ "')"}) -%}
    {%- if window != 'true' -%}
select * from {{ window }} as landed
    {%- elif execute -%}
{{ no_records(landing_source(relation)) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro records_of_files(source, files, batch_id) -%}
with files_of_batch as (
    {{ on_engine('landing_contents', source, files, later_header_over_lines(source) if source.format == 'csv' else 'cast(null as bigint)') }}
),

{{ context[source.format ~ '_records']('files_of_batch', dict(source, files=files)) }}

select
    record,
    {%- if source.has_fields %}
    fields,
    {%- elif source.format == 'parquet' %}
    types,
    {%- endif %}
    unreadable_reason,
    {{ source_file_of(on_engine('plain_path', 'file_uri')) }} as source_file,
    cast(record_number as bigint) as record_number,
    file_size,
    file_modified_at,
    cast({{ batch_id }} as bigint) as batch_id,
    current_timestamp() as ingested_at
from records
{%- endmacro -%}

{%- macro no_records(source) -%}
select
    {%- for column in bronze_columns(source) %}
    cast(null as {{ column.dtype }}) as {{ column.name }}{{ ',' if not loop.last }}
    {%- endfor %}
where false
{%- endmacro -%}

{%- macro bronze_columns(source) -%}
    {%- set columns = [] -%}
    {%- for name, type in {
        'record': 'string',
        'fields': 'map<string,string>',
        'types': 'string',
        'unreadable_reason': 'string',
        'source_file': 'string',
        'record_number': 'bigint',
        'file_size': 'bigint',
        'file_modified_at': 'timestamp',
        'batch_id': 'bigint',
        'ingested_at': 'timestamp',
    }.items() if (name != 'fields' or source.has_fields) and (name != 'types' or source.format == 'parquet') -%}
        {%- do columns.append(api.Column(name, type)) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{%- endmacro -%}

{#- The plan of a bronze model: the files that it has not ingested, and the number of their batch. -#}
{%- macro plan_files(relation) -%}
    {%- set source = landing_source(relation) -%}
    {%- set batch_id = next_batch_id(source.name) -%}
    {%- set files = list_new_files(source) -%}
    {%- set plan = {
        'source': source.name, 'batch_id': batch_id, 'files': files, 'consumed': {}, 'is_unchanged': not files,
        'window': '(' ~ (records_of_files(source, files, batch_id) if files else no_records(source)) ~ ')',
        'columns': bronze_columns(source), 'no_rows': '(' ~ no_records(source) ~ ')',
    } -%}
    {%- if not files -%}
        {%- do run_memory('newest').update({this.identifier: books_of(source.name)['written']}) -%}
        {%- do plan.pop('batch_id') -%}
    {%- endif -%}
    {{- return(plan) -}}
{%- endmacro -%}

{#- The number of a source's next batch, after ledger and bronze have been reconciled: a run killed between the two leaves files out of the
    ledger; a bronze table that was dropped or restored lacks files that the ledger has, and these count as new again. Numbers are never
    used twice, because Delta skips a repeated one, and the ledgers would mix two batches. A batch without records shows in the table's
    history only; a batch whose files count as new again still shows in the ledgers other than the file ledger. -#}
{%- macro next_batch_id(source_name) -%}
    {%- set newest = books_of(source_name) -%}
    {%- if newest['written'] > newest['recorded'] -%}
        {%- do record_files(this, source_name, newest['recorded'] + 1) -%}
    {%- elif newest['written'] < newest['with_records'] -%}
        {%- do exceptions.warn(
            this ~ ' has batches up to ' ~ newest['written'] ~ ', the ledger up to ' ~ newest['with_records']
            ~ '. The missing files are read again. Silver and quarantine may still hold records of the lost batches; '
            ~ 'after this build, run medallion quarantine replay '
            ~ source_name ~ ' --apply.'
        ) -%}
        {%- do name_table(file_ledger()) -%}
        {%- call statement('forget_files') -%}
            delete from {{ file_ledger() }}
            where source = '{{ source_name }}' and batch_id > {{ newest['written'] }} and record_count > 0
        {%- endcall -%}
    {%- endif -%}
    {%- set committed = batch_commits(this) | map(attribute='batch_id') | max if newest['has_table'] else 0 -%}
    {{- return([newest['written'], newest['recorded'], newest['counted'], newest['placed'], committed] | max | int + 1) -}}
{%- endmacro -%}
