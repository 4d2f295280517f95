{#- The newest commits of a bronze table that wrote a batch, with what they say of themselves: `batch_id` and `invocation_id`. None on
    Sail, whose commits say nothing. -#}
{%- macro batch_commits(bronze) -%}
    {%- set batches = [{'batch_id': 0, 'invocation_id': none}] -%}
    {%- set commits = table_commits(bronze, 50) if engine() == 'spark' else [] -%}
    {%- for commit in commits if commit.user_metadata.get('batch_id') -%}
        {%- do batches.append({
            'batch_id': commit.user_metadata['batch_id'] | int, 'invocation_id': commit.user_metadata.get('invocation_id'),
        }) -%}
    {%- endfor -%}
    {{- return(batches) -}}
{%- endmacro -%}
