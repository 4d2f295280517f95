{#- Stops a command that would write something else than it says, before anything is written: for on-run-start. -#}
{%- macro assert_ready() -%}
    {%- if execute -%}
        {%- do _assert_whole_inputs() -%}
        {%- do _assert_utc_session() -%}
    {%- endif -%}
{%- endmacro -%}

{#- Flags that make dbt's refs smaller than the tables, or point them at the tables of another lake. A table that was written so would
    record that it has read what it never saw, and the rows it lacks would not be missed by any later build. -#}
{%- macro _assert_whole_inputs() -%}
    {%- set arguments = invocation_args_dict -%}
    {%- for name, instead in {
        'empty': 'To check SQL without rows use dbt compile or dbt show --limit 5.',
        'sample': 'For a small lake put fewer files into a landing folder of its own (MEDALLION_LANDING, MEDALLION_HOME).',
        'event_time_start': 'Rows are chosen by their arrival, not by their time; build without it.',
        'event_time_end': 'Rows are chosen by their arrival, not by their time; build without it.',
        'defer': 'Build the parents too (--select +model), or copy the lake.',
        'favor_state': 'Build the parents too (--select +model), or copy the lake.',
    }.items() if arguments.get(name) -%}
        {{- exceptions.raise_compiler_error(
            'dbt ' ~ flags.WHICH ~ ' --' ~ name | replace('_', '-') ~ ' is refused, and nothing was written: it reads other or fewer rows '
            ~ 'than the tables hold, and incremental tables would take those for all. ' ~ instead
        ) -}}
    {%- endfor -%}
{%- endmacro -%}

{#- Every date of every model depends on the session's time zone. -#}
{%- macro _assert_utc_session() -%}
    {%- set zone = run_query('select current_timezone() as zone').rows[0][0] -%}
    {%- if zone not in ['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'Z', '+00:00'] -%}
        {{- exceptions.raise_compiler_error(
            "The session's time zone is " ~ zone ~ ", but dates and times of this project are UTC."
            ~ " Set spark.sql.session.timeZone to UTC in profiles.yml (server_side_parameters) or on the server."
        ) -}}
    {%- endif -%}
{%- endmacro -%}
