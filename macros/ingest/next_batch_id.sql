{#- The number of the next batch of a source, after ledger and bronze have been brought into line:
    a run killed between the two leaves files out of the ledger; a bronze table that was dropped or restored lacks files that
    the ledger holds, and these count as new again. Numbers are never used twice, for Delta skips a repeated one: a batch
    without any record shows in the table's history only. -#}
{%- macro next_batch_id(source_name) -%}
    {%- set of_source = file_ledger() ~ " where source = '" ~ source_name ~ "'" -%}
    {%- set recorded = run_query(
        'select coalesce(max(batch_id), 0) as newest, coalesce(max(batch_id) filter (where record_count > 0), 0) as with_records from '
        ~ of_source
    ).rows[0] -%}
    {%- set written = 0 -%}
    {%- set newest_commit = 0 -%}
    {%- if is_incremental() -%}
        {%- set written = run_query('select coalesce(max(batch_id), 0) from ' ~ this).rows[0][0] | int -%}
        {%- set newest_commit = batch_commits(this) | map(attribute='batch_id') | max -%}
    {%- endif -%}
    {%- if written > recorded['newest'] -%}
        {%- do record_files(this, source_name, recorded['newest'] + 1) -%}
    {%- elif written < recorded['with_records'] -%}
        {%- do exceptions.warn(
            this ~ ' holds no batch above ' ~ written ~ ', the ledger one up to ' ~ recorded['with_records'] ~ ': their files are read again.'
        ) -%}
        {%- call statement('forget_files') -%}
            delete from {{ of_source }} and batch_id > {{ written }} and record_count > 0
        {%- endcall -%}
    {%- endif -%}
    {%- set placed = run_query('select coalesce(max(batch_id), 0) from ' ~ row_ledger() ~ " where source = '" ~ source_name ~ "'").rows[0][0] -%}
    {{- return([written, recorded['newest'], newest_commit, placed] | max | int + 1) -}}
{%- endmacro -%}
