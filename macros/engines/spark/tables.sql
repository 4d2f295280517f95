{%- macro spark__assert_lake_path(warehouse) -%}{%- endmacro -%}

{#- All tables of a schema of a local lake, from their Delta logs: a listing gives versions and times, the newest commit usually the properties. -#}
{%- macro spark__lake_tables(schema) -%}
    {%- set tables = {} -%}
    {%- for row in run_query(_logs_sql(schema)).rows -%}
        {%- do tables.update({row['uri']: {
            'name': row['table_name'], 'version': row['version'] | int,
            'committed_at': row['committed_at'] | int, 'properties': none, 'columns': none,
        }}) -%}
    {%- endfor -%}
    {%- if tables -%}
        {%- for row in run_query(_metadata_sql(schema, tables.keys())).rows -%}
            {%- do tables[row['uri']].update({
                'properties': fromjson(row['properties'] or '{}'),
                'columns': fromjson(row['schema'])['fields'] | map(attribute='name') | list,
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(tables.values() | list) -}}
{%- endmacro -%}

{#- A schema that does not exist yet has no tables: the handler catches just that error. -#}
{%- macro _logs_sql(schema) -%}
    begin
        declare exit handler for path_not_found
        begin
            select '' as table_name, '' as uri, 0 as version, 0 as committed_at where false;
        end;
        select
            element_at(split(path, '/'), -3) as table_name,
            max_by(uri, path) as uri,
            max(cast(left(element_at(split(path, '/'), -1), 20) as bigint)) as version,
            max_by(unix_millis(modificationTime), path) as committed_at
        from (
            select path, modificationTime, _metadata.file_path as uri
            from binaryFile.`{{ lake_location(schema) | replace('`', '``') }}/*/_delta_log/[0-9]*.json`
        )
        where path rlike '/[0-9]{20}[.]json$'
        group by 1;
    end
{%- endmacro -%}

{%- macro _metadata_sql(schema, uris) -%}
    {%- set literals = [] -%}
    {%- for uri in uris -%}{%- do literals.append(sql_literal(uri)) -%}{%- endfor -%}
    select _metadata.file_path as uri, get_json_object(value, '$.metaData.configuration') as properties, get_json_object(value, '$.metaData.schemaString') as schema
    from text.`{{ lake_location(schema) | replace('`', '``') }}/*/_delta_log/[0-9]*.json`
    where _metadata.file_path in ({{ literals | join(', ') }}) and value like '{"metaData"%'
{%- endmacro -%}

{%- macro spark__table_state(relation) -%}
    {%- if load_relation(relation) is none -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set commit = spark__commits(relation, 1)[0] -%}
    {{- return({'version': commit.version, 'committed_at': commit.committed_at, 'properties': none, 'columns': none}) -}}
{%- endmacro -%}

{%- macro spark__table_properties(relation) -%}
    {%- set properties = {} -%}
    {%- for row in run_query('show tblproperties ' ~ relation).rows -%}
        {%- do properties.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{- return(properties) -}}
{%- endmacro -%}

{%- macro spark__commits(relation, limit=1) -%}
    {%- set commits = [] -%}
    {%- for commit in run_query('describe history ' ~ relation ~ ' limit ' ~ limit).rows -%}
        {%- do commits.append({
            'version': commit['version'] | int,
            'operation': commit['operation'],
            'committed_at': (commit['timestamp'].timestamp() * 1000) | round | int,
            'metrics': fromjson(commit['operationMetrics'] or '{}', {}),
            'user_metadata': fromjson(commit['userMetadata'] or '{}', {}),
            'is_readable': true,
        }) -%}
    {%- endfor -%}
    {{- return(commits) -}}
{%- endmacro -%}

{#- A table as it was at a version, in a form that can follow FROM. -#}
{%- macro spark__at_version(relation, version, state) -%}
    {{- return(relation ~ ' version as of ' ~ version) -}}
{%- endmacro -%}

{%- macro spark__describe_table(relation) -%}
    {%- set detail = run_query('describe detail ' ~ relation).rows[0] -%}
    {{- return({
        'is_delta': detail['format'] == 'delta',
        'location': detail['location'],
        'num_files': (detail['numFiles'] or 0) | int,
        'size_in_bytes': (detail['sizeInBytes'] or 0) | int,
        'partition_columns': fromjson(detail['partitionColumns'] or '[]', []),
        'properties': fromjson(detail['properties'] or '{}', {}),
    }) -}}
{%- endmacro -%}

{%- macro spark__partitions(relation, columns) -%}
    {{- return(run_query('show partitions ' ~ relation).rows | length) -}}
{%- endmacro -%}

{%- macro spark__describe_columns(relation) -%}
    {{- return(run_query('describe extended ' ~ relation)) -}}
{%- endmacro -%}

{#- Whether a commit says which batch and run wrote it. -#}
{%- macro spark__keeps_commit_words() -%}
    {{- return(true) -}}
{%- endmacro -%}

{#- Delta does this by itself, every ten commits. -#}
{%- macro spark__write_checkpoints(relations) -%}{%- endmacro -%}

{#- The predicate of a write that replaces the rows of some keys; Delta finds their files by it. -#}
{%- macro spark__is_replaced(column, literals) -%}
    {{- return(column ~ ' in (' ~ literals | join(', ') ~ ')') -}}
{%- endmacro -%}
