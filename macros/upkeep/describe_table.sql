{#- What Delta knows of a table without reading it. The one place of the upkeep macros that asks the engine, and so the one to
    change for an engine that answers otherwise. -#}
{%- macro describe_table(relation) -%}
    {%- set detail = run_query('describe detail ' ~ relation).rows[0] -%}
    {{- return({
        'is_delta': detail['format'] == 'delta',
        'num_files': (detail['numFiles'] or 0) | int,
        'size_in_bytes': (detail['sizeInBytes'] or 0) | int,
        'partition_columns': fromjson(detail['partitionColumns'] or '[]', []),
        'properties': fromjson(detail['properties'] or '{}', {}),
    }) -}}
{%- endmacro -%}

{#- The newest commits, newest first. -#}
{%- macro _newest_commits(relation, limit) -%}
    {%- set commits = [] -%}
    {%- for commit in run_query('describe history ' ~ relation ~ ' limit ' ~ limit).rows -%}
        {%- do commits.append({
            'version': commit['version'] | int,
            'operation': commit['operation'],
            'metrics': fromjson(commit['operationMetrics'] or '{}', {}),
            'written_at': commit['timestamp'].astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S'),
        }) -%}
    {%- endfor -%}
    {{- return(commits) -}}
{%- endmacro -%}
