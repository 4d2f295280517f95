{#- Why a row of gold is as it is. The meta `why` of a gold model says which rows of silver belong to a row of gold: for each silver table that
    answers for the records of a source, a condition on columns that its judged model has too, in which `gold` is the row. These are the
    parts. From them alone the model's own SQL computes the row again, through all models between; what has no condition (seeds, sightings)
    is read whole. Nothing is said twice: what a figure means is in the model only. -#}

{#- A SELECT with one row per column of a gold row: its value in the table, its value computed from the parts, whether they are equal, and,
    where several silver tables have parts, its value computed from the parts of each alone. -#}
{%- macro why_columns(table, key) -%}
    {%- if not execute -%}{{- return('select 1') -}}{%- endif -%}
    {%- set row = _row_of_gold(table, key) -%}
    {%- set figures = {'from_the_records': row.parts} -%}
    {%- for silver in row.parts if row.parts | length > 1 -%}
        {%- set alone = {} -%}
        {%- for other in row.parts -%}{%- do alone.update({other: row.parts[other] if other == silver else 'false'}) -%}{%- endfor -%}
        {%- do figures.update({'from_' ~ silver: alone}) -%}
    {%- endfor -%}
    {%- set columns = row.node.columns | list %}
    select
        position,
        case position {% for column in columns %} when {{ loop.index }} then '{{ column }}'{% endfor %} end as column_name,
        {%- for figure in ['in_the_table'] + figures | list %}
        case position {% for column in columns %} when {{ loop.index }} then cast({{ figure }}.{{ column }} as string){% endfor %} end as {{ figure }},
        {%- endfor %}
        case position {% for column in columns %} when {{ loop.index }} then in_the_table.{{ column }} <=> from_the_records.{{ column }}{% endfor %} end as is_equal
    from (select * from {{ table_named('gold', table) }} where {{ row.is_it }}) as in_the_table
    {%- for figure, parts in figures.items() %}
    left join (select * from ({{ _made_from(row.node, parts) }}) as made where {{ row.is_it }}) as {{ figure }} on true
    {%- endfor %}
    cross join (select explode(sequence(1, {{ columns | length }})) as position) as positions
{%- endmacro -%}

{#- A SELECT of the records behind a gold row, by file and number: `role` is `behind`, `left_out` for a record of the same key that is in no
    figure, or `unclear` for one in quarantine that may belong to the key, because what would tell is missing or does not parse. Place and
    reason are those of the row ledger. -#}
{%- macro why_records(table, key, is_masked=true) -%}
    {%- set tables = [] -%}
    {%- for silver in _conditions_of(table) -%}
        {%- set node = node_named(silver) -%}
        {#- dbt must see the ref when it parses the query -#}
        {%- do tables.append({'node': node, 'source': node.config.ledger.source, 'judged': ref('judged_' ~ node.config.ledger.source)}) -%}
    {%- endfor -%}
    {%- if not execute -%}{{- return('select 1') -}}{%- endif -%}
    {%- set row = _row_of_gold(table, key) -%}
    {%- for part in tables -%}
        {%- set silver = part.node.name -%}
        {%- set relation = relation_of(part.node) -%}
        {%- do name_inputs(node_of_source('judged', part.source)) -%}
        {%- for read in [relation, table_of_source('quarantine', part.source), discarded_records()] -%}{%- do name_table(read) -%}{%- endfor -%}
        {%- set filter = _filter_between(row.node, silver) -%}
        {#- size(violated_rules) is volatile on Sail, which would push the condition alone into the scan and lose columns there -#}
        {%- set is_asked = 'coalesce(' ~ row.parts[silver] ~ ', size(violated_rules) > 0)' -%}
        {%- set is_filtered = "records.is_kept and not records.is_used and found.place <> 'deleted'" -%}
        {%- set reason = sql_literal(filter.config.meta.leaves_out[silver]) if filter else 'null' %}
        select * from (
            {{ places_ctes(relation, part.source, 'batch_id > 0', [], is_asked) }},
            judged as (
                select *, {{ row.parts[silver] }} as is_of_key
                from judged_records
                where {{ is_asked }}
            ),
            kept as (
                select silver.*, {{ 'used.is_used is not null' if filter else 'true' }} as is_used
                from (select * from {{ relation }} where {{ row.parts[silver] }}) as silver
                {{ _join_used(part.node, filter, row.parts) if filter }}
            ),
            records as (
                select
                    coalesce(kept.batch_id, judged.batch_id) as batch_id,
                    coalesce(kept.source_file, judged.source_file) as source_file,
                    coalesce(kept.record_number, judged.record_number) as record_number,
                    coalesce(kept.ingested_at, judged.ingested_at) as ingested_at,
                    judged.record,
                    judged.batch_id is null as is_gone,
                    kept.batch_id is not null as is_kept,
                    coalesce(kept.is_used, false) as is_used,
                    judged.is_of_key
                from kept
                full outer join judged
                    on kept.batch_id = judged.batch_id
                    and kept.source_file = judged.source_file
                    and kept.record_number = judged.record_number
            )
            select
                '{{ silver }}' as silver_table,
                case
                    when records.is_kept and records.is_used then 'behind'
                    when records.is_kept or records.is_of_key then 'left_out'
                    else 'unclear'
                end as role,
                case
                    when records.is_gone then 'not_in_bronze'
                    when {{ is_filtered }} then 'filtered'
                    else coalesce(found.place, placed.place, 'lost')
                end as place,
                case
                    when {{ is_filtered }} then {{ reason }}
                    else coalesce(found.reason, placed.reason)
                end as reason,
                records.source_file,
                records.record_number,
                records.batch_id,
                records.ingested_at,
                {{ masked_record(part.source) if is_masked else 'records.record' }} as record
            from records
            {{ _join_landed(part.source) if is_masked }}
            left join found
                on records.batch_id = found.batch_id
                and records.source_file = found.source_file
                and records.record_number = found.record_number
            left join placed
                on records.batch_id = placed.batch_id
                and records.source_file = placed.source_file
                and records.record_number = placed.record_number
        ) as records
        {{ 'union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}

{%- macro _join_landed(source) -%}
            left join {{ table_of_source('bronze', source) }} as landed
                on records.batch_id = landed.batch_id
                and records.source_file = landed.source_file
                and records.record_number = landed.record_number
{%- endmacro -%}

{%- macro _conditions_of(table) -%}
    {%- set known = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.get('why') -%}
        {%- if node.name == table -%}{{- return(node.config.meta.why) -}}{%- endif -%}
        {%- do known.append(node.name) -%}
    {%- endfor -%}
    {%- if execute -%}
        {{- exceptions.raise_compiler_error('gold.' ~ table ~ ' cannot be explained; these can: ' ~ known | sort | join(', ') ~ '.') -}}
    {%- endif -%}
    {{- return({}) -}}
{%- endmacro -%}

{#- The one row of a gold table with some values: its `node`, `is_it` (a condition for it), and its `parts`, the conditions of the meta `why`
    with the values of the row in them. -#}
{%- macro _row_of_gold(table, key) -%}
    {%- set conditions = _conditions_of(table) -%}
    {%- set node = node_named(table) -%}
    {%- set chosen = [] -%}
    {%- for column, value in key.items() -%}
        {%- if column not in node.columns -%}
            {{- exceptions.raise_compiler_error('gold.' ~ table ~ ' has no column ' ~ column ~ '; it has ' ~ node.columns | join(', ') ~ '.') -}}
        {%- endif -%}
        {%- do chosen.append(column ~ ' = try_cast(' ~ sql_literal(value) ~ ' as ' ~ node.columns[column].data_type ~ ')') -%}
    {%- endfor -%}
    {%- set is_it = chosen | join(' and ') -%}
    {%- set texts = [] -%}
    {%- for column in node.columns -%}{%- do texts.append('cast(' ~ column ~ ' as string) as ' ~ column) -%}{%- endfor -%}
    {%- set rows = run_query('select ' ~ texts | join(', ') ~ ' from ' ~ table_named('gold', table) ~ ' where ' ~ is_it ~ ' limit 2').rows -%}
    {%- if rows | length != 1 -%}
        {{- exceptions.raise_compiler_error(
            ('More than one row' if rows else 'No row') ~ ' of gold.' ~ table ~ ' has these values; its key is ' ~ node.primary_key | join(', ') ~ '.'
        ) -}}
    {%- endif -%}
    {%- set literals = {} -%}
    {%- for column, value in rows[0].items() -%}
        {%- do literals.update({column: 'cast(' ~ (sql_literal(value) if value is not none else 'null') ~ ' as ' ~ node.columns[column].data_type ~ ')'}) -%}
    {%- endfor -%}
    {%- set parts = {} -%}
    {%- for silver, condition in conditions.items() -%}
        {%- set words = [] -%}
        {%- for word in modules.re.split('\\bgold[.](\\w+)', condition) -%}
            {%- do words.append(literals[word] if loop.index0 % 2 else word) -%}
        {%- endfor -%}
        {%- do parts.update({silver: '(' ~ words | join ~ ')'}) -%}
    {%- endfor -%}
    {{- return({'node': node, 'is_it': is_it, 'parts': parts}) -}}
{%- endmacro -%}

{#- The SQL of a model with some rows of silver only. -#}
{%- macro _made_from(node, parts) -%}
    {%- do run_memory('why').update({'parts': parts}) -%}
    {%- set sql = modules.re.sub('(?m)^ *--.*$', '', node.raw_code) -%}
    {{- return(render(modules.re.sub('\\bref\\(', '_input_named(', sql))) -}}
{%- endmacro -%}

{#- What stands for a ref there: the parts of a silver table, the SQL of a model that is computed from its inputs alone, or any other table. -#}
{%- macro _input_named(name) -%}
    {%- set node = node_named(name) -%}
    {%- set parts = run_memory('why').parts -%}
    {%- if name in parts -%}
        (select * from {{ by_place(relation_of(node)) }} where {{ parts[name] }})
    {%- elif _is_between(node) -%}
        ({{ _made_from(node, parts) }})
    {%- else -%}
        {{ by_place(relation_of(node)) }}
    {%- endif -%}
{%- endmacro -%}

{%- macro _is_between(node) -%}
    {{- return(node.resource_type == 'model' and (node.config.materialized in ['ephemeral', 'view'] or node.config.incremental_strategy == 'replace_where')) -}}
{%- endmacro -%}

{#- The model on the way from a silver table to a model that leaves out some of its rows, as its meta `leaves_out` says; none without. -#}
{%- macro _filter_between(node, silver) -%}
    {%- for name in node.depends_on.nodes if name in graph.nodes and _is_between(graph.nodes[name]) -%}
        {%- set parent = graph.nodes[name] -%}
        {%- set found = parent if silver in parent.config.meta.get('leaves_out', {}) else _filter_between(parent, silver) -%}
        {%- if found -%}{{- return(found) -}}{%- endif -%}
    {%- endfor -%}
{%- endmacro -%}

{%- macro _join_used(node, filter, parts) -%}
    {%- set key = unique_key_of(relation_of(node)) -%}
    {%- set same_key = [] -%}
    {%- for name in key -%}{%- do same_key.append('silver.' ~ name ~ ' = used.' ~ name) -%}{%- endfor -%}
    left join (
        select distinct {{ key | join(', ') }}, true as is_used from ({{ _made_from(filter, parts) }}) as made
    ) as used on {{ same_key | join(' and ') }}
{%- endmacro -%}
