{#- The newest commits of a bronze table that wrote a batch, with what they say of themselves: `batch_id` and `invocation_id`. None
    where the engine's commits say nothing. -#}
{%- macro batch_commits(bronze) -%}
    {%- set batches = [{'batch_id': 0, 'invocation_id': none}] -%}
    {%- set commits = commits_of(bronze, 50) if on_engine('keeps_commit_words') else [] -%}
    {%- for commit in commits if commit.user_metadata.get('batch_id') -%}
        {%- do batches.append({
            'batch_id': commit.user_metadata['batch_id'] | int, 'invocation_id': commit.user_metadata.get('invocation_id'),
        }) -%}
    {%- endfor -%}
    {{- return(batches) -}}
{%- endmacro -%}
