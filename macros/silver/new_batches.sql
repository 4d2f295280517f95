{#- Predicate for the bronze rows that this model has not consumed yet; if there are none, the run writes nothing. -#}
{%- macro new_batches(bronze) -%}
    {{- return(ask_for_window({'kind': 'batches', 'bronze': bronze, 'asked_by': "new_batches(ref('" ~ bronze.identifier ~ "'))"})) -}}
{%- endmacro -%}

{%- macro plan_batches(bronze, seen) -%}
    {%- set newest = newest_batch(bronze) -%}
    {%- set since = seen.get(bronze.identifier, 0) | int -%}
    {#- a dry run leaves quarantine as it is -#}
    {%- if not is_dry_run() -%}{%- do _assert_quarantine_is_ahead(newest) -%}{%- endif -%}
    {{- return({
        'since': since,
        'newest': newest,
        'window': '(batch_id > ' ~ since ~ ' and batch_id <= ' ~ newest ~ ')',
        'consumed': {bronze.identifier: newest},
        'is_unchanged': since >= newest and is_accounted_for(newest),
    }) -}}
{%- endmacro -%}

{#- A model that answers for the records of a source needs its quarantine first, otherwise every bad record would seem lost. -#}
{%- macro _assert_quarantine_is_ahead(newest) -%}
    {%- set source = (config.get('ledger') or {}).get('source') -%}
    {%- if source -%}
        {%- set quarantine = table_of_source('quarantine', source) -%}
        {%- set taken_in = consumed_positions(quarantine).get('bronze_' ~ source, 0) | int -%}
        {%- if taken_in < newest -%}
            {{- exceptions.raise_compiler_error(
                quarantine ~ ' has read up to batch ' ~ taken_in ~ ' of ' ~ source ~ ', and bronze holds batch ' ~ newest
                ~ ': it was left out of this build, or it failed. '
                ~ 'Nothing was written. Build both: dbt build --select quarantine_' ~ source ~ ' ' ~ model.name ~ '.'
            ) -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}
