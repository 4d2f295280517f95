{#- Without RETAIN: Delta ignores it and uses the table's property delta.deletedFileRetentionDuration. Files of the versions `pinned` are left out
    of the inventory, and so stay; with one, VACUUM cannot be lite. Delta wants its columns nullable, and plain paths. -#}
{%- macro vacuum_sql(relation, lite=false, dry_run=true, pinned=[], location='') -%}
    vacuum {{ relation }}
    {%- if pinned %} using inventory (
        select
            nullif(path, '') as path,
            nullif(_metadata.file_size, -1) as length,
            nullif(false, true) as isDir,
            nullif(unix_millis(_metadata.file_modification_time), -1) as modificationTime
        from binaryFile.`{{ location | replace('`', '``') }}` with ('recursiveFileLookup' = 'true')
        where _metadata.file_path not in (
            {%- for version in pinned %}
            select pinned._metadata.file_path from {{ on_engine('at_version', relation, version, table_state(relation)) }} as pinned {{- ' union' if not loop.last }}
            {%- endfor %}
        )
    )
    {%- elif lite %} lite{% endif %}
    {{- ' dry run' if dry_run }}
{%- endmacro -%}

{%- macro _vacuum(entry, detail, lite, dry_run) -%}
    {{- return(run_query(vacuum_sql(entry.relation, lite, dry_run, pinned_versions(entry.relation), detail.location)).rows) -}}
{%- endmacro -%}

{#- Run-operation: deletes files that no version within the retention needs. Without `apply` it only counts them:
    dbt run-operation vacuum_tables --args '{layer: gold, apply: true}' --target-path target/upkeep
    The retention is a property of the model (tblproperties, delta.deletedFileRetentionDuration), never an argument: a wrong
    number here would break readers and time travel. Below 7 days it is refused, unless meta says allow_short_retention.
    The default also finds what killed runs left behind; `lite` uses the log alone, which is faster on large tables. -#}
{%- macro vacuum_tables(layer=none, table=none, apply=false, lite=false) -%}
    {%- do _assert_upkeep_possible('vacuum') -%}
    {%- set refused = [] -%}
    {%- for entry in project_tables(layer, table) -%}
        {%- set name = entry.layer ~ '.' ~ entry.name -%}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set property = detail.properties.get('delta.deletedFileRetentionDuration') -%}
        {%- set hours = retention_hours(property) -%}
        {%- if _retention_is_refused(hours, entry.config) -%}
            {%- do refused.append(name) -%}
            {%- do print(name ~ ": refused, its retention '" ~ property ~ "' is not at least 7 days") -%}
        {%- else -%}
            {%- set retention = 'retention ' ~ (property or 'interval 1 week, the default') | replace('interval ', '') -%}
            {%- set found = _vacuum(entry, detail, lite, dry_run=true) | length -%}
            {#- Delta lists a thousand at most. -#}
            {%- set count = found if found < 1000 else 'at least ' ~ found -%}
            {%- if not found -%}
                {#- VACUUM commits twice even when it deletes nothing. -#}
                {%- do print(name ~ ': nothing to delete (' ~ retention ~ ')') -%}
            {%- elif not apply -%}
                {%- do print(name ~ ': files to delete: ' ~ count ~ ' (' ~ retention ~ ')') -%}
            {%- else -%}
                {%- do _vacuum(entry, detail, lite, dry_run=false) -%}
                {%- set deleted = commits_of(entry.relation)[0].metrics.get('numDeletedFiles', count) -%}
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

{#- A SELECT of what VACUUM has to do, like optimize_jobs for OPTIMIZE. `num_files`, the files to delete, is NULL on Sail, where delta-rs
    counts them. Delta lists a thousand at most. -#}
{%- macro vacuum_jobs(layer=none, table=none, lite=false) -%}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set property = detail.properties.get('delta.deletedFileRetentionDuration') -%}
        {%- set hours = retention_hours(property) -%}
        {%- set is_refused = _retention_is_refused(hours, entry.config) -%}
        {%- set num_files = 'cast(null as bigint)' -%}
        {%- if on_engine('can_optimize') and not is_refused -%}
            {%- set num_files = _vacuum(entry, detail, lite, dry_run=true) | length -%}
        {%- endif %}
        select
            '{{ entry.layer }}.{{ entry.name }}' as table_name,
            {{ sql_literal(_upkeep_location(entry.relation)) }} as location,
            {{ is_refused | string | lower }} as is_refused,
            {{ sql_literal((property or 'interval 1 week, the default') | replace('interval ', '')) }} as retention,
            {{ hours or 0 }} as hours,
            {{ sql_literal(pinned_versions(entry.relation) | join(',')) }} as pinned_versions,
            {{ num_files }} as num_files
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as table_name, '' as location, false as is_refused, '' as retention, 0 as hours, '' as pinned_versions, 0 as num_files
        where false
    {%- endfor %}
{%- endmacro -%}

{%- macro _retention_is_refused(hours, config) -%}
    {{- return(not hours or (hours < 168 and not (config.get('meta') or {}).get('allow_short_retention', false))) -}}
{%- endmacro -%}

{#- Hours of a Delta retention property such as `interval 7 days`; Delta's default when unset, none when it cannot be read. -#}
{%- macro retention_hours(retention=none) -%}
    {%- set hours_of = {'hour': 1, 'day': 24, 'week': 168} -%}
    {%- set words = (retention or 'interval 1 week') | lower | replace("'", '') | replace('interval', '') -%}
    {%- set words = words.split() -%}
    {%- set unit = words[1].rstrip('s') if words | length == 2 else none -%}
    {%- if unit in hours_of and modules.re.fullmatch('[0-9]+', words[0]) -%}
        {{- return(words[0] | int * hours_of[unit]) -}}
    {%- endif -%}
    {{- return(none) -}}
{%- endmacro -%}
