{#- Which rows a model reads is decided when it is written, not when its SQL is rendered: `new_batches`, `touched` and the like leave a
    placeholder and note here what they ask for; the materialization plans, and replaces the placeholder with the predicate.
    No value of a feed can pass for the placeholder, because it contains the id of the run. -#}
{%- macro ask_for_window(request) -%}
    {%- if not is_building() or model.resource_type != 'model' -%}
        {{- return('true') -}}
    {%- elif model.config.materialized != 'incremental' -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ' is ' ~ model.config.materialized ~ ', and only an incremental model can ask for a window: move '
            ~ request.asked_by ~ ' into the incremental models that read it.'
        ) -}}
    {%- endif -%}
    {%- set windows = run_memory('windows') -%}
    {%- if windows.setdefault(model.unique_id, request) != request -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ' asks for two different windows, ' ~ windows[model.unique_id].asked_by ~ ' and ' ~ request.asked_by
            ~ ': rows that only one of them lets through would be lost or doubled. Ask once and use the result everywhere'
            ~ ' ({% set window = ... %}), or split the model.'
        ) -}}
    {%- endif -%}
    {{- return(_placeholder()) -}}
{%- endmacro -%}

{%- macro _placeholder() -%}
    {{- return('medallion_window_' ~ invocation_id | replace('-', '_')) -}}
{%- endmacro -%}

{#- What the model that is being built asked for; a model that uses is_incremental() itself asks for nothing. -#}
{%- macro requested_window(sql) -%}
    {%- set request = run_memory('windows').get(model.unique_id, {'kind': 'own'}) -%}
    {%- if (request.kind == 'own') != (_placeholder() not in sql) -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ (' reads a window that another model asked for: an ephemeral model cannot ask.' if request.kind == 'own'
            else ' asks for a window with ' ~ request.asked_by ~ ' and does not use it: all rows would be read on every run.')
        ) -}}
    {%- endif -%}
    {{- return(request) -}}
{%- endmacro -%}

{#- The SQL of the model with `filling` instead of the placeholder. -#}
{%- macro fill_window(sql, filling) -%}
    {{- return(sql | replace(_placeholder(), filling)) -}}
{%- endmacro -%}

{#- Whether this command builds models. If SQL is only rendered (compile, docs, show), the lake, which may not exist yet, is neither read nor
    changed. -#}
{%- macro is_building() -%}
    {{- return(execute and flags.WHICH in ['run', 'build', 'retry']) -}}
{%- endmacro -%}

{#- SQL without comments, and without white space outside of quotes, to compare two versions of a text. -#}
{%- macro without_blanks(sql) -%}
    {%- set quoted = "('(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)" -%}
    {{- return(modules.re.sub('(?s)' ~ quoted ~ '|--[^\n]*|/[*].*?[*]/|\\s+', '\\1', sql)) -}}
{%- endmacro -%}

{#- The days that a backfill computes again: `start`, and `end`, the first day after them, as dbt's --event-time-start and --event-time-end
    have it; none for any other run. -#}
{%- macro backfilled_days() -%}
    {%- set start, end = invocation_args_dict.get('event_time_start'), invocation_args_dict.get('event_time_end') -%}
    {%- if not (start and is_building()) -%}
        {{- return(none) -}}
    {%- endif -%}
    {{- return({'start': (start | string)[:10], 'end': (end | string)[:10]}) -}}
{%- endmacro -%}

{#- Predicate for the rows whose time or day is in the interval of a backfill. -#}
{%- macro is_backfilled(column) -%}
    {%- set day, days = 'cast(' ~ column ~ ' as date)', backfilled_days() -%}
    {{- return('(' ~ day ~ " >= date'" ~ days.start ~ "' and " ~ day ~ " < date'" ~ days.end ~ "')") -}}
{%- endmacro -%}

{#- Whether a backfill only says what it would compute; assert_ready lets nothing else run then. -#}
{%- macro is_dry_run() -%}
    {{- return(is_building() and env_var('MEDALLION_BACKFILL_PLAN', '') != '') -}}
{%- endmacro -%}
