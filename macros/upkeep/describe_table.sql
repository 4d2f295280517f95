{#- What Delta knows of a table without reading it. The one place of the upkeep macros that asks the engine, and so the one to
    change for an engine that answers otherwise. -#}
{%- macro describe_table(relation) -%}
    {%- if engine() == 'sail' -%}
        {{- return(_sail_describe_table(relation)) -}}
    {%- endif -%}
    {%- set detail = run_query('describe detail ' ~ relation).rows[0] -%}
    {{- return({
        'is_delta': detail['format'] == 'delta',
        'num_files': (detail['numFiles'] or 0) | int,
        'size_in_bytes': (detail['sizeInBytes'] or 0) | int,
        'partition_columns': fromjson(detail['partitionColumns'] or '[]', []),
        'properties': fromjson(detail['properties'] or '{}', {}),
    }) -}}
{%- endmacro -%}

{%- macro _sail_describe_table(relation) -%}
    {%- set state = run_query('select * from ' ~ sail_source('lake_state', lake_location(relation.schema, relation.identifier))).rows[0] -%}
    {{- return({
        'is_delta': true,
        'num_files': state['num_files'] | int,
        'size_in_bytes': state['size_in_bytes'] | int,
        'partition_columns': fromjson(state['partition_columns']),
        'properties': fromjson(state['properties']),
    }) -}}
{%- endmacro -%}
