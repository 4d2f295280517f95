{#- Predicates that keep a MERGE from reading the whole target: the range of the batch in the column `merge_prune.column`,
    widened by `merge_prune.slack_days`. Safe because rows of one key are never further apart than the slack: by
    construction (slack 0, the column is part of the key) or by the model's declaration, which its uniqueness test guards. -#}
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
    {{- return([
        "DBT_INTERNAL_DEST." ~ prune['column'] ~ " between date'" ~ range['low'] ~ "' and date'" ~ range['high'] ~ "'"
    ]) -}}
{%- endmacro -%}
