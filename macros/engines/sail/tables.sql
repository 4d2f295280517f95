{#- Sail percent-encodes other characters, and then uses the encoded form as the folder's name. -#}
{%- macro sail__assert_lake_path(warehouse) -%}
    {%- if not modules.re.fullmatch('[A-Za-z0-9/_.~+=@,-]*', warehouse) -%}
        {{- exceptions.raise_compiler_error(
            "Sail cannot keep a lake in " ~ warehouse ~ ": it writes blanks and most other special characters of a path wrongly."
            ~ " Set MEDALLION_HOME to a folder whose path has letters, digits and - _ . only, or build on Spark: --target local."
        ) -}}
    {%- endif -%}
{%- endmacro -%}

{%- macro sail__lake_tables(schema) -%}
    {{- return(_states(lake_location(schema) ~ '#*')) -}}
{%- endmacro -%}

{%- macro sail__table_state(relation) -%}
    {{- return(_states(lake_location(relation.schema) ~ '#' ~ relation.identifier) | first | default(none)) -}}
{%- endmacro -%}

{%- macro _states(pattern) -%}
    {%- set tables = [] -%}
    {%- for row in run_query('select * from ' ~ sail_source('lake_tables', pattern)).rows -%}
        {%- do tables.append({
            'name': row['table_name'], 'version': row['version'] | int,
            'committed_at': row['committed_at'] | int, 'properties': fromjson(row['properties']), 'columns': fromjson(row['columns']),
            'commits_since_checkpoint': row['commits_since_checkpoint'] | int,
        }) -%}
    {%- endfor -%}
    {{- return(tables) -}}
{%- endmacro -%}

{%- macro sail__table_properties(relation) -%}
    {{- return(sail__table_state(relation).properties) -}}
{%- endmacro -%}

{%- macro sail__commits(relation, limit=1) -%}
    {%- set commits = [] -%}
    {%- for commit in run_query(
        'select * from ' ~ sail_source('lake_commits', lake_location(relation.schema, relation.identifier) ~ '#' ~ limit)
        ~ ' order by version desc'
    ).rows -%}
        {%- do commits.append({
            'version': commit['version'] | int,
            'operation': commit['operation'],
            'committed_at': commit['committed_at'] | int,
            'metrics': fromjson(commit['metrics'] or '{}', {}),
            'user_metadata': fromjson(commit['user_metadata'] or '{}', {}),
            'is_readable': commit['is_readable'],
        }) -%}
    {%- endfor -%}
    {{- return(commits) -}}
{%- endmacro -%}

{#- Sail cannot read a version before the last checkpoint; then delta-rs reads it, through a view of this session. -#}
{%- macro sail__at_version(relation, version, state) -%}
    {%- if version >= state.version - state.commits_since_checkpoint -%}
        {{- return(relation ~ ' version as of ' ~ version) -}}
    {%- endif -%}
    {%- set view = relation.schema ~ '__' ~ relation.identifier ~ '__' ~ version -%}
    {%- do run_query(
        'create or replace temporary view ' ~ view ~ ' using lake_version options (path '
        ~ sql_literal(lake_location(relation.schema, relation.identifier) ~ '#' ~ version) ~ ')'
    ) -%}
    {{- return(view) -}}
{%- endmacro -%}

{%- macro sail__describe_table(relation) -%}
    {%- set state = run_query('select * from ' ~ sail_source('lake_state', lake_location(relation.schema, relation.identifier))).rows[0] -%}
    {{- return({
        'is_delta': true,
        'num_files': state['num_files'] | int,
        'size_in_bytes': state['size_in_bytes'] | int,
        'partition_columns': fromjson(state['partition_columns']),
        'properties': fromjson(state['properties']),
    }) -}}
{%- endmacro -%}

{%- macro sail__partitions(relation, columns) -%}
    {{- return(run_query('select distinct `' ~ columns | join('`, `') ~ '` from ' ~ relation).rows | length) -}}
{%- endmacro -%}

{#- Sail returns no columns for a table that was named from the lake, but does for a view over it. -#}
{%- macro sail__describe_columns(relation) -%}
    {%- set described = make_temp_relation(relation, '__columns') if relation.schema else relation -%}
    {%- if relation.schema -%}
        {%- do run_query('create or replace temporary view ' ~ described ~ ' as select * from ' ~ relation) -%}
    {%- endif -%}
    {{- return(run_query('describe extended ' ~ described)) -}}
{%- endmacro -%}

{#- Whether a commit says which batch and run wrote it. -#}
{%- macro sail__keeps_commit_words() -%}
    {{- return(false) -}}
{%- endmacro -%}

{%- macro sail__write_checkpoints(relations) -%}
    {%- set folders = [] -%}
    {%- for relation in relations -%}{%- do folders.append(relation.schema ~ '.db/' ~ relation.identifier) -%}{%- endfor -%}
    {%- for row in run_query('select * from ' ~ sail_source('lake_checkpoints', lake_location() ~ '#' ~ folders | join(','))).rows if row['problem'] -%}
        {%- do exceptions.warn('No checkpoint of ' ~ row['table_folder'] ~ ' was written, so reading it gets slower: ' ~ row['problem']) -%}
    {%- endfor -%}
{%- endmacro -%}

{#- Not `in`: in the predicate of a write Sail needs 30 s for a list of 1,000 keys and 125 s for 2,000, this way 1 s. -#}
{%- macro sail__is_replaced(column, literals) -%}
    {{- return('exists(array(' ~ literals | join(', ') ~ '), touched_key -> touched_key = ' ~ column ~ ')') -}}
{%- endmacro -%}
