{#- What this run knows of the lake, in one place. dbt's `graph` is one dictionary that all nodes and threads of an invocation share,
    so what one node has learned no other asks for again. Rooms: `tables` (state by name), `named` (tables that the session's catalog
    knows), `windows` (what each model asked for), `books` (newest batches by source), `newest` (newest batch by bronze table),
    `changes` (what changed of an input since a position), `balanced` (silver tables whose batches are accounted for), `consumed` (marks that this run has set),
    `versions` (of tables before this run wrote them).
    An empty room is no error: whoever finds nothing there asks the engine. -#}
{%- macro run_memory(room) -%}
    {%- if graph.get('medallion', {}).get('invocation_id') != invocation_id -%}
        {%- do graph.update({'medallion': {'invocation_id': invocation_id}}) -%}
    {%- endif -%}
    {{- return(graph['medallion'].setdefault(room, {})) -}}
{%- endmacro -%}

{#- What the Delta log says of a table: `version`, `committed_at` (its time, milliseconds since 1970), `properties` and the names of its
    `columns`, where the reading showed these two; none where there is no such table. The tables of a schema of a local lake are read at once; one that this run has written is asked for again. -#}
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

{#- After a write: whoever asks next reads the table's state again. -#}
{%- macro forget_state(relation) -%}
    {%- set tables = run_memory('tables') -%}
    {%- set name = relation.schema ~ '.' ~ relation.identifier -%}
    {%- set state = tables.get(name) -%}
    {%- if state != 'stale' -%}{%- do run_memory('versions').setdefault(name, state.version if state else 0) -%}{%- endif -%}
    {%- do tables.update({name: 'stale'}) -%}
{%- endmacro -%}

{#- The properties of a table, a dict; asked for by themselves where the reading of all tables did not show them. -#}
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

{#- Where a table is: its version, with the time of the commit, so that it is not mistaken for the same version of a table that was dropped and
    made anew; and the batch of bronze that it has consumed, if it reads bronze. -#}
{%- macro position_of(relation) -%}
    {%- set state = table_state(relation) -%}
    {%- set batch = [] -%}
    {%- for input, position in consumed_positions(relation).items() if input.startswith('bronze_') -%}{%- do batch.append(position) -%}{%- endfor -%}
    {{- return(([state.version, state.committed_at] + batch) | join('@')) -}}
{%- endmacro -%}

{#- How far a table has consumed each of its inputs: the batch of a bronze table, the position of any other. As this run marked it, else as the
    table says. -#}
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
