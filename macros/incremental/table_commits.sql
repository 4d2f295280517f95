{#- The newest commits of a Delta table, newest first: version, operation, time of the commit (ISO 8601, UTC), metrics, the writer's
    own words (userMetadata, a mapping), and whether the engine can read that version, VACUUM aside. -#}
{%- macro table_commits(relation, limit=1) -%}
    {%- if engine() == 'sail' -%}
        {{- return(_sail_commits(relation, limit)) -}}
    {%- endif -%}
    {%- set commits = [] -%}
    {%- for commit in run_query('describe history ' ~ relation ~ ' limit ' ~ limit).rows -%}
        {%- do commits.append({
            'version': commit['version'] | int,
            'operation': commit['operation'],
            'committed_at': commit['timestamp'].astimezone(modules.pytz.utc).isoformat(),
            'metrics': fromjson(commit['operationMetrics'] or '{}', {}),
            'user_metadata': fromjson(commit['userMetadata'] or '{}', {}),
            'is_readable': true,
        }) -%}
    {%- endfor -%}
    {{- return(commits) -}}
{%- endmacro -%}

{%- macro _sail_commits(relation, limit) -%}
    {%- set commits = [] -%}
    {%- for commit in run_query(
        'select * from ' ~ sail_source('lake_commits', lake_location(relation.schema, relation.identifier) ~ '#' ~ limit)
        ~ ' order by version desc'
    ).rows -%}
        {%- do commits.append({
            'version': commit['version'] | int,
            'operation': commit['operation'],
            'committed_at': commit['committed_at'],
            'metrics': fromjson(commit['metrics'] or '{}', {}),
            'user_metadata': fromjson(commit['user_metadata'] or '{}', {}),
            'is_readable': commit['is_readable'],
        }) -%}
    {%- endfor -%}
    {%- if not commits -%}
        {{- exceptions.raise_compiler_error(
            'There is no table ' ~ relation ~ '; build it first' ~ (', for instance with --select +' ~ model.name if model is defined) ~ '.'
        ) -}}
    {%- endif -%}
    {{- return(commits) -}}
{%- endmacro -%}
