{#- Predicates that keep a MERGE from reading the whole target: the range of the batch in the column `merge_prune.column`,
    widened by `merge_prune.slack_days`. With slack 0 the column is part of the key. With any other slack versions of a key are usually no
    further apart; where the target holds a key of the batch outside the range all the same, the MERGE reads all of it. -#}
{%- macro merge_pruning(staged) -%}
    {%- set prune = config.get('merge_prune') -%}
    {%- if not prune -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set slack = prune.get('slack_days', 0) -%}
    {%- set range = run_query(
        'select cast(greatest(date_sub(min(' ~ prune['column'] ~ '), ' ~ slack ~ "), date'0001-01-01') as string) as low, "
        ~ 'cast(least(date_add(max(' ~ prune['column'] ~ '), ' ~ slack ~ "), date'9999-12-31') as string) as high, count(*) - count("
        ~ prune['column'] ~ ') as outside from ' ~ staged
    ).rows[0] -%}
    {%- if range['low'] is none or range['outside'] > 0 -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set within = prune['column'] ~ " between date'" ~ range['low'] ~ "' and date'" ~ range['high'] ~ "'" -%}
    {%- if slack -%}
        {%- set keys = ([config.get('unique_key')] if config.get('unique_key') is string else config.get('unique_key')) | join(', ') -%}
        {%- set outside = run_query(
            'select 1 from (select ' ~ keys ~ ' from ' ~ this ~ ' where not (' ~ within ~ ')) as held inner join (select ' ~ keys ~ ' from '
            ~ staged ~ ') as staged using (' ~ keys ~ ') limit 1'
        ).rows -%}
        {%- if outside -%}
            {{- return([]) -}}
        {%- endif -%}
    {%- endif -%}
    {{- return(['DBT_INTERNAL_DEST.' ~ within]) -}}
{%- endmacro -%}
