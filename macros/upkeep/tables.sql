{#- The tables of this project in the lake, from dbt's graph: models, seeds and snapshots that are tables and exist, and the ledgers of
    models/ops.yml. `layer` is the schema without the developer's prefix. -#}
{%- macro project_tables(layer=none, table=none) -%}
    {%- set order = ['bronze', 'silver', 'gold', 'ops'] -%}
    {%- set known = [] -%}
    {%- for node in graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed', 'snapshot']) | sort(attribute='alias')
        if node.package_name == project_name
        and node.config.materialized not in ['view', 'ephemeral'] -%}
        {%- do known.append({
            'layer': node.schema[var('schema_prefix', '') | length:],
            'name': node.alias,
            'database': node.database,
            'schema': node.schema,
            'config': node.config,
            'columns': node.columns,
        }) -%}
    {%- endfor -%}
    {%- for book in graph.sources.values() | selectattr('source_name', 'in', ['ops', 'secrets']) | sort(attribute='identifier')
        if book.package_name == project_name -%}
        {%- do known.append({
            'layer': 'ops', 'name': book.identifier, 'database': none, 'schema': book.schema, 'config': book.config, 'columns': book.columns,
        }) -%}
    {%- endfor -%}

    {%- set layers = known | map(attribute='layer') | unique | list -%}
    {%- if layer and layer not in layers -%}
        {{- exceptions.raise_compiler_error("No layer '" ~ layer ~ "' in this project; it has " ~ layers | sort | join(', ') ~ '.') -}}
    {%- endif -%}
    {%- set chosen = [] -%}
    {%- for rank in order + (layers | reject('in', order) | sort) -%}
        {%- for entry in known
            if entry.layer == rank
            and layer in [none, entry.layer]
            and table in [none, entry.name, entry.layer ~ '.' ~ entry.name] -%}
            {%- do chosen.append(entry) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if not chosen -%}
        {{- exceptions.raise_compiler_error(
            "No table '" ~ table ~ "' in " ~ (layer or 'this project') ~ '; it has ' ~ known | map(attribute='name') | sort | join(', ') ~ '.'
        ) -}}
    {%- endif -%}

    {%- set tables = [] -%}
    {%- for entry in chosen -%}
        {%- set relation = adapter.get_relation(database=entry.database, schema=entry.schema, identifier=entry.name) -%}
        {%- if relation is not none and not relation.is_view -%}
            {%- do tables.append(dict(entry, relation=relation)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(tables) -}}
{%- endmacro -%}

{#- A SELECT with layer and table_name of the tables that exist, in the order of the layers, without asking Delta anything. -#}
{%- macro table_list(layer=none, table=none) %}
    select layer, table_name
    from (
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        select '{{ entry.layer }}' as layer, '{{ entry.name }}' as table_name, {{ loop.index }} as position
        {{ 'union all' if not loop.last }}
    {%- else %}
        select '' as layer, '' as table_name, 0 as position where false
    {%- endfor %}
    ) as tables
    order by position
{%- endmacro -%}

{#- A SELECT of one row about a table that is to be dropped, whether a model owns it or not: its rows, and its folder if the lake is on this
    machine. -#}
{%- macro drop_job(layer, name) %}
    {%- set location = lake_location(var('schema_prefix') ~ layer, name) if lake_is_local() else '' %}
    select count(*) as row_count, {{ sql_literal(location) }} as location from {{ table_named(layer, name) }}
{%- endmacro -%}

{#- Run-operation that drops a table of a lake that is elsewhere; of a local one, `medallion drop` deletes the folder. -#}
{%- macro drop_table(layer, name) -%}
    {%- do run_query('drop table ' ~ table_named(layer, name)) -%}
{%- endmacro -%}

{#- A SELECT with one row per table, in the order of the layers: dbt show --inline "{{ table_health() }}" --limit -1
    Files and versions are literals that Delta is asked for during rendering; Delta answers the counts from its statistics. -#}
{%- macro table_health(layer=none, table=none) %}
    select layer, table_name, row_count, file_count, size_bytes, version, last_written_at
    from (
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set newest = commits_of(entry.relation)[0] %}
        select
            '{{ entry.layer }}' as layer,
            '{{ entry.name }}' as table_name,
            (select count(*) from {{ entry.relation }}) as row_count,
            {{ detail.num_files }} as file_count,
            cast({{ detail.size_in_bytes }} as bigint) as size_bytes,
            {{ newest.version }} as version,
            timestamp_millis({{ newest.committed_at }}) as last_written_at,
            {{ loop.index }} as position
        {{ 'union all' if not loop.last }}
    {%- else %}
        select
            '' as layer,
            '' as table_name,
            0 as row_count,
            0 as file_count,
            0 as size_bytes,
            0 as version,
            current_timestamp() as last_written_at,
            0 as position
        where false
    {%- endfor %}
    ) as tables
    order by position
{%- endmacro -%}
