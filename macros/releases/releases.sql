{#- What readers of gold see: the newest row of ops.releases names a version of every gold table. The views of the published schema (var
    serving_schema) are pinned to these versions. Builds write the tables; a release moves the pins, all in one commit. -#}

{#- For on-run-end: publishes gold as it is now if it differs from the last release and this run shows that it is whole: nothing in the run
    failed, every test of every changed table passed or warned in it, and no gold table is behind its inputs. So a selection that leaves a
    table behind publishes nothing. After a rollback nothing is published until a run is told to (--vars 'publish: true'). -#}
{%- macro publish_release(results) -%}
    {%- set is_tested = execute and 'test' in results | map(attribute='node.resource_type') -%}
    {%- if is_tested and var('serving_schema', '') and load_relation(releases()) -%}
        {%- set last = last_release() -%}
        {%- set versions = _gold_versions() -%}
        {%- if versions != last.versions or (last.rolled_back_to and var('publish', false)) -%}
            {%- set problem = _problem_of(versions, last, results) -%}
            {%- if problem -%}
                {%- do log('Not published: ' ~ problem ~ '. Readers see ' ~ ('release ' ~ last.release_id if last.release_id else 'no release') ~ '.', info=true) -%}
            {%- else -%}
                {%- do record_release(versions) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- Why this run must not publish these versions; none if it may. -#}
{%- macro _problem_of(versions, last, results) -%}
    {%- if last.rolled_back_to and not var('publish', false) -%}
        {{- return('after the rollback to release ' ~ last.rolled_back_to ~ " nothing is, until you say so: dbt build --vars 'publish: true'") -}}
    {%- endif -%}
    {%- set statuses = {} -%}
    {%- for result in results -%}{%- do statuses.update({result.node.unique_id: result.status | string}) -%}{%- endfor -%}
    {%- set failed = statuses.values() | reject('in', ['success', 'pass', 'warn', 'skipped', 'no-op']) | list | length -%}
    {%- if failed -%}
        {{- return(failed ~ ' models or tests of this run failed') -}}
    {%- endif -%}
    {%- set untested = [] -%}
    {%- for test in graph.nodes.values() if test.resource_type == 'test' and statuses.get(test.unique_id) not in ['pass', 'warn'] -%}
        {%- for input in inputs_of(test) if versions.get(input.get('alias')) != last.versions.get(input.get('alias')) -%}
            {%- do untested.append(input.alias) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if untested -%}
        {{- return('this run left out tests of ' ~ untested | unique | sort | join(', ') ~ '; dbt build runs all') -}}
    {%- endif -%}
    {%- set behind = [] -%}
    {%- for node in _gold_nodes() if node.alias in versions and statuses.get(node.unique_id) != 'success' -%}
        {%- set seen = consumed_positions(relation_of(node)) -%}
        {%- for input in inputs_of(node) if not table_state(relation_of(input)) or seen.get(relation_of(input).identifier) != position_of(relation_of(input)) -%}
            {%- do behind.append(node.alias) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if behind -%}
        {{- return('not in this run, and behind what they read: ' ~ behind | unique | sort | join(', ') ~ '; dbt build brings them up to date') -}}
    {%- endif -%}
{%- endmacro -%}

{#- The models and snapshots of gold that are tables. -#}
{%- macro _gold_nodes() -%}
    {%- set nodes = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type in ['model', 'snapshot'] and node.schema == _gold_table('').schema and node.config.materialized not in ['view', 'ephemeral'] -%}
        {%- do nodes.append(node) -%}
    {%- endfor -%}
    {{- return(nodes) -}}
{%- endmacro -%}

{%- macro _gold_table(name) -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'gold', identifier=name, type='table')) -}}
{%- endmacro -%}

{#- The current versions of all gold tables, by name. -#}
{%- macro _gold_versions() -%}
    {%- for node in _gold_nodes() if is_written(relation_of(node)) -%}
        {%- if loop.first -%}{%- do read_schemas_again(node.schema) -%}{%- endif -%}
    {%- endfor -%}
    {%- set versions = {} -%}
    {%- for node in _gold_nodes() if table_state(relation_of(node)) -%}
        {%- do versions.update({node.alias: table_state(relation_of(node)).version}) -%}
    {%- endfor -%}
    {{- return(versions) -}}
{%- endmacro -%}

{#- Enters a release; a rollback names the one whose versions it has. A cluster's views move with it; on a local lake they would end with the
    session, so its readers name them, or read the versions. -#}
{%- macro record_release(versions, rolled_back_to=none) -%}
    {%- set release_id = (last_release().release_id or 0) + 1 -%}
    {%- do name_table(releases()) -%}
    {%- call statement('record_release') -%}
        insert into {{ releases() }}
        select
            cast({{ release_id }} as bigint), current_timestamp(), '{{ invocation_id }}', {{ sql_literal(_code_version()) }},
            cast({{ rolled_back_to or 'null' }} as bigint), {{ sql_literal(tojson(versions, sort_keys=true)) }}
    {%- endcall -%}
    {%- do run_memory('releases').clear() -%}
    {%- do log('Published release ' ~ release_id ~ (', a rollback to release ' ~ rolled_back_to if rolled_back_to else '') ~ '.', info=true) -%}
    {%- if not lake_is_local() -%}{%- do name_views() -%}{%- endif -%}
{%- endmacro -%}

{#- As the environment names it (a commit, say), otherwise a hash of all models, seeds and snapshots. -#}
{%- macro _code_version() -%}
    {%- set hashes = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {%- do hashes.append(node.unique_id ~ node.checksum.checksum) -%}
    {%- endfor -%}
    {{- return(env_var('MEDALLION_CODE_VERSION', '') or local_md5(hashes | sort | join)[:12]) -}}
{%- endmacro -%}

{#- The releases that are kept, newest first: release_id, rolled_back_to and versions, a dict by table. -#}
{%- macro kept_releases() -%}
    {%- set memory = run_memory('releases') -%}
    {%- if 'kept' not in memory -%}
        {%- set kept = [] -%}
        {%- if var('serving_schema', '') and load_relation(releases()) -%}
            {%- for row in run_query(
                'select release_id, rolled_back_to, versions from ' ~ by_place(releases()) ~ ' order by release_id desc limit ' ~ [var('keep_releases') | int, 1] | max
            ).rows -%}
                {%- do kept.append({
                    'release_id': row['release_id'] | int, 'rolled_back_to': row['rolled_back_to'] | int, 'versions': fromjson(row['versions']),
                }) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- do memory.update({'kept': kept}) -%}
    {%- endif -%}
    {{- return(memory.kept) -}}
{%- endmacro -%}

{#- The release in force; without versions if there is none. Where this run has read the results of tests, it has read this too. -#}
{%- macro last_release() -%}
    {%- set read = run_memory('releases').get('last') or kept_releases() | first -%}
    {{- return(read or {'release_id': none, 'rolled_back_to': none, 'versions': {}}) -}}
{%- endmacro -%}

{#- The older versions of a table that kept releases need: VACUUM must leave their files. -#}
{%- macro pinned_versions(relation) -%}
    {%- set pinned = [] -%}
    {%- for release in kept_releases()
        if relation.schema == _gold_table('').schema and release.versions.get(relation.identifier, table_state(relation).version) != table_state(relation).version -%}
        {%- do pinned.append(release.versions[relation.identifier]) -%}
    {%- endfor -%}
    {{- return(pinned | unique | sort) -}}
{%- endmacro -%}

{#- A table as it was at a version, in a form that can follow FROM. -#}
{%- macro table_at(relation, version) -%}
    {%- do name_table(relation) -%}
    {{- return('(select * from ' ~ on_engine('at_version', relation, version, table_state(relation)) ~ ')') -}}
{%- endmacro -%}

{#- A gold table as a release has it, in a form that can follow FROM; that of the release in force by default. -#}
{%- macro published_table(name, release=none) -%}
    {%- set versions = (release or last_release()).versions if execute -%}
    {%- if execute and name not in versions -%}
        {{- exceptions.raise_compiler_error(
            'No table ' ~ name ~ ' is published: ' ~ ('the release has ' ~ versions | sort | join(', ') if versions else 'there is no release yet; dbt build makes one')
            ~ '.'
        ) -}}
    {%- endif -%}
    {{- return(table_at(_gold_table(name), versions[name]) if execute) -}}
{%- endmacro -%}

{#- Run-operation: creates the views of the published schema, pinned to the release in force, in the catalog. On a local lake they end with this
    session. -#}
{%- macro name_views() -%}
    {%- set schema = var('schema_prefix') ~ var('serving_schema', '') -%}
    {%- for name in last_release().versions -%}
        {%- do name_schema(schema) -%}
        {%- do run_query('create or replace view ' ~ schema ~ '.' ~ name ~ ' as select * from ' ~ published_table(name)) -%}
    {%- endfor -%}
{%- endmacro -%}
