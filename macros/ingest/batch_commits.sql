{#- The newest commits of a bronze table that wrote a batch, with what they say of themselves: `batch_id` and `invocation_id`. -#}
{%- macro batch_commits(bronze) -%}
    {%- set commits = [{'batch_id': 0, 'invocation_id': none}] -%}
    {%- for commit in run_query('describe history ' ~ bronze ~ ' limit 50').rows if commit['userMetadata'] -%}
        {%- set batch = fromjson(commit['userMetadata'], {}) -%}
        {%- if batch is mapping and batch.get('batch_id') -%}
            {%- do commits.append({'batch_id': batch['batch_id'] | int, 'invocation_id': batch.get('invocation_id')}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(commits) -}}
{%- endmacro -%}
