{%- macro relation_of(node) -%}
    {{- return(api.Relation.create(schema=node.schema, identifier=node.get('alias') or node.identifier, type='table')) -}}
{%- endmacro -%}

{#- The node that owns a table, or none. -#}
{%- macro node_of(relation) -%}
    {%- for node in graph.nodes.values() if node.schema == relation.schema and node.alias == relation.identifier -%}
        {{- return(node) -}}
    {%- endfor -%}
{%- endmacro -%}

{#- The model, seed or snapshot with a name. -#}
{%- macro node_named(name) -%}
    {%- for node in graph.nodes.values() if node.name == name and node.resource_type in ['model', 'seed', 'snapshot'] -%}
        {{- return(node) -}}
    {%- endfor -%}
{%- endmacro -%}

{#- Columns of the unique_key of a table's model, a list. -#}
{%- macro unique_key_of(relation) -%}
    {%- set key = (node_of(relation) or {'config': {}}).config.get('unique_key') or [] -%}
    {{- return([key] if key is string else key) -}}
{%- endmacro -%}

{#- Columns that tell the rows of a node apart: its unique_key, or what a test says is unique; an empty list if nothing does. -#}
{%- macro key_of(node) -%}
    {%- set keys = [unique_key_of(relation_of(node))] | select | list -%}
    {%- for test in graph.nodes.values() if test.attached_node == node.unique_id and test.test_metadata -%}
        {%- if test.test_metadata.name == 'unique' -%}
            {%- do keys.append([test.column_name]) -%}
        {%- elif test.test_metadata.name == 'unique_combination_of_columns' -%}
            {%- do keys.append(test.test_metadata.kwargs.combination_of_columns) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(keys | first | default([])) -}}
{%- endmacro -%}

{#- The nodes whose tables a node reads, through ephemeral models and views: models, seeds, snapshots and the tables of ops. -#}
{%- macro inputs_of(node) -%}
    {%- set found = {} -%}
    {%- for name in node.depends_on.nodes -%}
        {%- set parent = graph.nodes.get(name) or graph.sources.get(name) -%}
        {%- if parent.resource_type == 'model' and parent.config.materialized in ['ephemeral', 'view'] -%}
            {%- for input in inputs_of(parent) -%}{%- do found.update({input.unique_id: input}) -%}{%- endfor -%}
        {%- elif parent.resource_type in ['model', 'seed', 'snapshot'] or parent.source_name in ['ops', 'secrets'] -%}
            {%- do found.update({name: parent}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found.values() | list) -}}
{%- endmacro -%}

{#- The SQL of the views that a node reads, without blanks: what is made through them changes with it. -#}
{%- macro sql_of_views(node) -%}
    {%- set found = [] -%}
    {%- for name in node.depends_on.nodes if name in graph.nodes and graph.nodes[name].config.materialized == 'view' -%}
        {%- do found.append(without_blanks(graph.nodes[name].raw_code)) -%}
    {%- endfor -%}
    {{- return(found) -}}
{%- endmacro -%}

{#- Puts the inputs of a node, and its own table, into the catalog of this session. -#}
{%- macro name_inputs(node) -%}
    {%- for input in inputs_of(node) -%}{%- do name_table(relation_of(input)) -%}{%- endfor -%}
    {%- do name_table(relation_of(node)) -%}
{%- endmacro -%}

{#- The current positions of the inputs of the model that is being built, by name. -#}
{%- macro positions_of_inputs() -%}
    {%- set positions = {} -%}
    {%- for node in inputs_of(model) -%}
        {%- set state = table_state(relation_of(node)) -%}
        {%- if state is none -%}
            {{- exceptions.raise_compiler_error('There is no table ' ~ relation_of(node) ~ '; build it first, for instance with --select +' ~ model.name ~ '.') -}}
        {%- endif -%}
        {%- do positions.update({relation_of(node).identifier: position_of(relation_of(node))}) -%}
    {%- endfor -%}
    {{- return(positions) -}}
{%- endmacro -%}
