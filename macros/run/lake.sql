{#- What this run knows of the lake, in one place. dbt's `graph` is one dictionary that all nodes and threads of an invocation share, so
    no node asks for what another one has learned. Rooms: `tables` (state by name), `named` (tables that the session's catalog
    knows), `windows` (what each model asked for), `books` (newest batches by source), `newest` (newest batch by bronze table),
    `changes` (what changed of an input since a position), `balanced` (silver tables whose batches are accounted for), `consumed` (marks that this run has set),
    `versions` (of tables before this run wrote them), `differing` (silver tables that a backfill changes),
    `releases` (those that are kept, and the last one),
    `long_logs` (of these, those with many commits since their last checkpoint).
    If a room is empty, the engine is asked. -#}
{%- macro run_memory(room) -%}
    {%- if graph.get('medallion', {}).get('invocation_id') != invocation_id -%}
        {%- do graph.update({'medallion': {'invocation_id': invocation_id}}) -%}
    {%- endif -%}
    {{- return(graph['medallion'].setdefault(room, {})) -}}
{%- endmacro -%}

{#- What the Delta log says about a table: `version`, `committed_at` (its time, milliseconds since 1970), `properties` and the names of its
    `columns` (these two may be missing); none if there is no such table. The tables of a schema of a local lake are read at once; a table that
    this run has written is read again. -#}
{%- macro table_state(relation) -%}
    {%- set tables = run_memory('tables') -%}
    {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
    {%- if name not in tables -%}
        {%- do read_schema(relation.schema) -%}
    {%- endif -%}
    {%- if tables.get(name, 'stale' if not lake_is_local()) == 'stale' -%}
        {%- do tables.update({name: on_engine('table_state', relation)}) -%}
    {%- endif -%}
    {{- return(tables.get(name)) -}}
{%- endmacro -%}

{#- After a write: the next reader of the table's state asks the engine again. -#}
{%- macro forget_state(relation) -%}
    {%- set tables = run_memory('tables') -%}
    {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
    {%- set state = tables.get(name) -%}
    {%- if state is mapping and state.get('commits_since_checkpoint', 0) >= 8 -%}{%- do run_memory('long_logs').update({name: true}) -%}{%- endif -%}
    {%- if state != 'stale' -%}{%- do run_memory('versions').setdefault(name, state.version if state else 0) -%}{%- endif -%}
    {%- do tables.update({name: 'stale'}) -%}
{%- endmacro -%}

{#- Whether this run has written a table. -#}
{%- macro is_written(relation) -%}
    {{- return(relation.schema ~ '.' ~ relation.identifier in run_memory('versions')) -}}
{%- endmacro -%}

{#- Forgets what was read of the tables of a schema, or of all, so that the next question reads whole schemas again instead of each table that
    this run has written. -#}
{%- macro read_schemas_again(schema=none) -%}
    {%- for room in [run_memory('schemas'), run_memory('tables')] -%}
        {%- for name in room | list if schema in [none, name.split('.')[0]] -%}{%- do room.pop(name) -%}{%- endfor -%}
    {%- endfor -%}
{%- endmacro -%}

{#- The properties of a table, a dict; asked for separately if the reading of all tables did not show them. -#}
{%- macro table_properties(relation) -%}
    {%- set state = table_state(relation) -%}
    {%- if state is none -%}
        {{- return({}) -}}
    {%- elif state.properties is none -%}
        {%- do name_table(relation) -%}
        {%- do state.update({'properties': on_engine('table_properties', relation)}) -%}
    {%- endif -%}
    {{- return(state.properties) -}}
{%- endmacro -%}

{#- Where a table is: its version; the time of that commit, so that a table that was dropped and created again is not mistaken for it; and the
    batch of bronze that it has consumed, if it reads bronze. -#}
{%- macro position_of(relation) -%}
    {%- set state = table_state(relation) -%}
    {%- set batch = [] -%}
    {%- for input, position in consumed_positions(relation).items() if input.startswith('bronze_') -%}{%- do batch.append(position) -%}{%- endfor -%}
    {{- return(([state.version, state.committed_at] + batch) | join('@')) -}}
{%- endmacro -%}

{#- How far a table has consumed each of its inputs: the batch of a bronze table, the position of any other. What this run marked comes first,
    then what the table says. -#}
{%- macro consumed_positions(relation) -%}
    {%- set marked = run_memory('consumed') -%}
    {%- if relation.identifier in marked -%}
        {{- return(marked[relation.identifier]) -}}
    {%- endif -%}
    {%- set positions = {} -%}
    {%- for name, value in table_properties(relation).items() if name.startswith('medallion.consumed.') -%}
        {%- do positions.update({name[19:]: value}) -%}
    {%- endfor -%}
    {{- return(positions) -}}
{%- endmacro -%}

{#- Reads the state of all tables of a schema of a local lake at once, remembers it for this run, and returns the names of the tables. -#}
{%- macro read_schema(schema) -%}
    {%- set schemas = run_memory('schemas') -%}
    {%- if lake_is_local() and schema not in schemas -%}
        {%- set tables = run_memory('tables') -%}
        {%- set names = [] -%}
        {%- for table in on_engine('lake_tables', schema) -%}
            {%- do names.append(table.name) -%}
            {%- do tables.setdefault(schema ~ '.' ~ table.name, table) -%}
        {%- endfor -%}
        {%- do schemas.update({schema: names}) -%}
    {%- endif -%}
    {{- return(schemas.get(schema, [])) -}}
{%- endmacro -%}

{#- Puts a table of a local lake, if it exists, into the catalog of this session. -#}
{%- macro name_table(relation) -%}
    {%- set named = run_memory('named') -%}
    {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
    {%- if lake_is_local() and relation.schema and name not in named and table_state(relation) -%}
        {%- do name_schema(relation.schema) -%}
        {%- do run_query(
            'create table if not exists ' ~ relation ~ ' using delta location ' ~ sql_literal(lake_location(relation.schema, relation.identifier))
        ) -%}
        {%- do named.update({name: true}) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro name_schema(schema) -%}
    {%- set named = run_memory('named') -%}
    {%- if schema not in named -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
        {%- do named.update({schema: true}) -%}
    {%- endif -%}
{%- endmacro -%}

{#- The newest commits of a Delta table, newest first: version, operation, time of the commit (milliseconds since 1970), metrics, userMetadata
    (a mapping), and whether the engine can read that version, VACUUM aside. -#}
{%- macro commits_of(relation, limit=1) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('commits', relation, limit)) -}}
{%- endmacro -%}

{#- What Delta knows about a table without reading it. -#}
{%- macro describe_table(relation) -%}
    {%- do name_table(relation) -%}
    {{- return(on_engine('describe_table', relation)) -}}
{%- endmacro -%}

{#- A table to read once: by its folder, which needs no name in the catalog of a local session. -#}
{%- macro by_place(relation) -%}
    {%- if lake_is_local() -%}
        {{- return('delta.`' ~ lake_location(relation.schema, relation.identifier) | replace('`', '``') ~ '`') -}}
    {%- endif -%}
    {{- return(relation | string) -}}
{%- endmacro -%}

{#- A table of this lake for a query by hand, in a form that can follow FROM. -#}
{%- macro table_named(layer, name) -%}
    {%- set relation = api.Relation.create(schema=var('schema_prefix') ~ layer, identifier=name, type='table') -%}
    {%- if execute and not load_relation(relation) -%}
        {{- exceptions.raise_compiler_error('There is no table ' ~ layer ~ '.' ~ name ~ '. medallion status lists the tables.') -}}
    {%- endif -%}
    {{- by_place(relation) -}}
{%- endmacro -%}

{#- Operations of commits that leave rows and files as they are, by their names in DESCRIBE HISTORY: of Delta 4.4, and in the last line
    of delta-rs 1.6. Compaction (OPTIMIZE, REORG) is not among them, because it replaces files. -#}
{%- macro commits_without_data() -%}
    {{- return([
        'ADD COLUMNS', 'ADD CONSTRAINT', 'CHANGE COLUMN', 'CHANGE COLUMNS', 'CLUSTER BY', 'COMPUTE STATS', 'DOMAIN METADATA CLEANUP',
        'DROP CONSTRAINT', 'DROP FEATURE', 'OPTIMIZE CHECKPOINT', 'ROW TRACKING BACKFILL', 'ROW TRACKING UNBACKFILL', 'SET TBLPROPERTIES',
        'UNSET TBLPROPERTIES', 'UPGRADE PROTOCOL', 'VACUUM END', 'VACUUM START',
        'ADD COLUMN', 'ADD FEATURE', 'UPDATE FIELD METADATA', 'UPDATE TABLE METADATA',
    ]) -}}
{%- endmacro -%}
