{#- Run-operation: deletes files that no version within the retention needs. Only says how many unless `apply`:
    dbt run-operation vacuum_tables --args '{layer: gold, apply: true}' --target-path target/upkeep
    The retention is a property of the model (tblproperties, delta.deletedFileRetentionDuration), never an argument: a wrong
    number here would break readers and time travel. Below 7 days it is refused, unless meta says allow_short_retention.
    The default also finds what killed runs left; `lite` goes by the log alone, which is faster on large tables. -#}
{%- macro vacuum_tables(layer=none, table=none, apply=false, lite=false) -%}
    {%- do _assert_upkeep_possible('vacuum') -%}
    {%- set refused = [] -%}
    {%- for entry in project_tables(layer, table) -%}
        {%- set name = entry.layer ~ '.' ~ entry.name -%}
        {%- set property = describe_table(entry.relation).properties.get('delta.deletedFileRetentionDuration') -%}
        {%- set hours = retention_hours(property) -%}
        {%- if _retention_is_refused(hours, entry.config) -%}
            {%- do refused.append(name) -%}
            {%- do print(name ~ ": refused, its retention '" ~ property ~ "' is not at least 7 days") -%}
        {%- else -%}
            {%- set retention = 'retention ' ~ (property or 'interval 1 week, the default') | replace('interval ', '') -%}
            {%- set found = run_query(vacuum_sql(entry.relation, lite, dry_run=true)).rows | length -%}
            {#- Delta lists a thousand at most. -#}
            {%- set count = found if found < 1000 else 'at least ' ~ found -%}
            {%- if not found -%}
                {#- VACUUM commits twice even when it deletes nothing. -#}
                {%- do print(name ~ ': nothing to delete (' ~ retention ~ ')') -%}
            {%- elif not apply -%}
                {%- do print(name ~ ': files to delete: ' ~ count ~ ' (' ~ retention ~ ')') -%}
            {%- else -%}
                {%- do run_query(vacuum_sql(entry.relation, lite, dry_run=false)) -%}
                {%- set deleted = table_commits(entry.relation)[0].metrics.get('numDeletedFiles', count) -%}
                {%- do print(name ~ ': files deleted: ' ~ deleted ~ ' (' ~ retention ~ ')') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if refused and apply -%}
        {{- exceptions.raise_compiler_error(
            'Not vacuumed because of a retention below 7 days: ' ~ refused | join(', ')
            ~ '. Raise delta.deletedFileRetentionDuration in the tblproperties of the model, or set meta allow_short_retention.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
