{#- A SELECT of what the runs did and took in, from the books. Grain: one row per run that wrote something or failed. -#}
{%- macro run_trend() -%}
    select
        ran.invocation_id,
        ran.started_at,
        ran.seconds,
        ran.table_count,
        ran.test_count,
        ran.failed_count,
        coalesce(judged.record_count, 0) as record_count,
        round(try_divide(coalesce(judged.quarantined_count, 0), judged.record_count), 4) as quarantined_share
    from (
        select
            invocation_id,
            min(started_at) as started_at,
            unix_timestamp(max(ended_at)) - unix_timestamp(min(started_at)) as seconds,
            count_if(resource_type in ('model', 'seed', 'snapshot')) as table_count,
            count_if(resource_type = 'test') as test_count,
            count_if(status in ('error', 'fail', 'runtime error')) as failed_count
        from {{ table_named('ops', 'node_results') }}
        group by invocation_id
    ) as ran
    left join (
        select
            invocation_id,
            sum(record_count) as record_count,
            sum(case when place in ('quarantined', 'unreadable') then record_count end) as quarantined_count
        from {{ table_named('ops', 'row_ledger') }}
        group by invocation_id
    ) as judged on ran.invocation_id = judged.invocation_id
{%- endmacro -%}

{#- A SELECT of how long nodes took in their last runs, tests included. Grain: one row per node. -#}
{%- macro node_trend(runs=20) -%}
    select
        unique_id,
        max(case when place = 1 then seconds end) as last_seconds,
        percentile(seconds, 0.5) as median_seconds,
        count(*) as run_count
    from (
        select unique_id, seconds, row_number() over (partition by unique_id order by ended_at desc) as place
        from {{ table_named('ops', 'node_results') }}
        where status != 'skipped'
    ) as numbered
    where place <= {{ runs }}
    group by unique_id
{%- endmacro -%}

{#- A SELECT of the records that came in per day, beside the median of the same weekday in the eight weeks before. A day on which nothing came
    counts as 0, today only once something has come. A day is unusual with less than half or more than twice the median, if there is a history
    of `min_history` such weekdays. Grain: one row per source and day of ingest (UTC), from the source's first day. -#}
{%- macro arrival_trend(min_history=4) -%}
    with arrived as (
        select source, cast(ingested_at as date) as ingested_date, sum(record_count) as record_count, count(*) as file_count
        from {{ table_named('ops', 'file_ledger') }}
        group by 1, 2
    ),

    calendar as (
        select source, explode(sequence(min(ingested_date), greatest(max(ingested_date), date_sub(current_date(), 1)))) as ingested_date
        from arrived
        group by source
    ),

    days as (
        select
            calendar.source,
            calendar.ingested_date,
            coalesce(arrived.record_count, 0) as record_count,
            coalesce(arrived.file_count, 0) as file_count
        from calendar
        left join arrived on calendar.source = arrived.source and calendar.ingested_date = arrived.ingested_date
    ),

    compared as (
        select
            days.source,
            days.ingested_date,
            days.record_count,
            days.file_count,
            percentile(earlier.record_count, 0.5) as usual_count,
            count(earlier.ingested_date) as history_count
        from days
        left join days as earlier
            on days.source = earlier.source
            and dayofweek(days.ingested_date) = dayofweek(earlier.ingested_date)
            and earlier.ingested_date between date_sub(days.ingested_date, 56) and date_sub(days.ingested_date, 1)
        group by days.source, days.ingested_date, days.record_count, days.file_count
    )

    select
        source,
        ingested_date,
        record_count,
        file_count,
        usual_count,
        history_count,
        history_count >= {{ min_history }} and (record_count < usual_count / 2 or record_count > usual_count * 2) as is_unusual
    from compared
{%- endmacro -%}

{#- A SELECT of what the newest commits of tables wrote, as Delta counted it; NULL where the engine does not count. Grain: one row per table and
    commit that wrote rows. -#}
{%- macro commit_trend(layer=none, table=none, commits=20) -%}
    {%- set rows = [] -%}
    {%- for entry in (project_tables(layer, table) if execute else []) if load_relation(entry.relation) -%}
        {%- for commit in commits_of(entry.relation, commits) if commit.metrics -%}
            {%- set values = [sql_literal(entry.layer ~ '.' ~ entry.name), commit.version, 'timestamp_millis(' ~ commit.committed_at ~ ')', sql_literal(commit.operation)] -%}
            {%- for names in [
                ['numTargetRowsInserted', 'numOutputRows'], ['numTargetRowsUpdated', 'numUpdatedRows'],
                ['numTargetRowsDeleted', 'numDeletedRows'], ['numTargetFilesAdded', 'numAddedFiles', 'numFiles'],
                ['numTargetBytesAdded', 'numAddedBytes', 'numOutputBytes'],
            ] -%}
                {%- set found = names | select('in', commit.metrics) | list -%}
                {%- do values.append('cast(' ~ (commit.metrics[found[0]] | int if found else 'null') ~ ' as bigint)') -%}
            {%- endfor -%}
            {%- do rows.append('(' ~ values | join(', ') ~ ')') -%}
        {%- endfor -%}
    {%- endfor -%}
    select *
    from values {{ rows | join(', ') or "('', 0, current_timestamp(), '', 0, 0, 0, 0, 0)" }} as written(
        table_name, version, committed_at, operation, rows_inserted, rows_updated, rows_deleted, files_added, bytes_added
    )
    {{ 'where false' if not rows }}
{%- endmacro -%}
