{#- The number of the next batch of a source, after ledger and bronze have been brought into line:
    a run killed between the two leaves files out of the ledger; a bronze table that was dropped or restored lacks files that
    the ledger holds, and these count as new again. Numbers are never used twice, for Delta skips a repeated one, and the books
    would hold two batches as one: a batch without any record shows in the table's history only, and of one whose files count as
    new again the books other than the file ledger still tell. -#}
{%- macro next_batch_id(source_name) -%}
    {%- set newest = run_query(_newest_batches_sql(source_name)).rows[0] -%}
    {%- if newest['written'] > newest['recorded'] -%}
        {%- do record_files(this, source_name, newest['recorded'] + 1) -%}
    {%- elif newest['written'] < newest['with_records'] -%}
        {%- do exceptions.warn(
            this ~ ' holds no batch above ' ~ newest['written'] ~ ', the ledger one up to ' ~ newest['with_records']
            ~ ': their files are read again. Silver and quarantine may still hold records of the lost batches; when this build is done, run medallion quarantine replay '
            ~ source_name ~ ' --apply.'
        ) -%}
        {%- call statement('forget_files') -%}
            delete from {{ file_ledger() }}
            where source = '{{ source_name }}' and batch_id > {{ newest['written'] }} and record_count > 0
        {%- endcall -%}
    {%- endif -%}
    {%- set committed = batch_commits(this) | map(attribute='batch_id') | max if is_incremental() else 0 -%}
    {{- return([newest['written'], newest['recorded'], newest['counted'], newest['placed'], committed] | max | int + 1) -}}
{%- endmacro -%}

{#- In one statement: each costs its time whatever it does. -#}
{%- macro _newest_batches_sql(source_name) -%}
    {%- set of_source = " where source = '" ~ source_name ~ "'" -%}
    select
        coalesce({{ '(select max(batch_id) from ' ~ this ~ ')' if is_incremental() else 'null' }}, 0) as written,
        coalesce((select max(batch_id) from {{ file_ledger() ~ of_source }}), 0) as recorded,
        coalesce((select max(batch_id) from {{ file_ledger() ~ of_source }} and record_count > 0), 0) as with_records,
        coalesce((select max(batch_id) from {{ batch_fields() ~ of_source }}), 0) as counted,
        coalesce((select max(batch_id) from {{ row_ledger() ~ of_source }}), 0) as placed
{%- endmacro -%}
