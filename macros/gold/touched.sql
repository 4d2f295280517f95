{#- Predicate for the keys (days, customers, ...) that changes of the model's inputs touch, in the old and the new place of a moved row:
    the model computes exactly these again, and its strategy `replace_where` replaces them. Without changes the run writes nothing. The
    inputs are all tables that the model reads, through ephemeral models and views. Everything is computed again on a first run or full
    refresh, if it is unknown what changed in an input (_changed_rows), if an input has no such column, or if more keys are touched than
    a literal list should hold. -#}
{%- macro touched(column) -%}
    {{- return(ask_for_window({'kind': 'keys', 'column': column, 'asked_by': "touched('" ~ column ~ "')"})) -}}
{%- endmacro -%}

{#- Computes everything again when any input changed: for small tables, and for tables in which each row depends on all input. -#}
{%- macro rebuild_when_changed() -%}
    {{- return(ask_for_window({'kind': 'keys', 'column': none, 'asked_by': 'rebuild_when_changed()'})) -}}
{%- endmacro -%}

{%- macro plan_keys(column, seen, is_rebuild) -%}
    {%- if config.get('incremental_strategy') != 'replace_where' -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ": touched and rebuild_when_changed need incremental_strategy 'replace_where', not '" ~ config.get('incremental_strategy') ~ "'."
        ) -}}
    {%- endif -%}
    {%- set consumed = positions_of_inputs() -%}
    {%- set changes = [] -%}
    {%- for node in inputs_of(model) -%}
        {%- set input = relation_of(node) -%}
        {%- if seen.get(input.identifier) != consumed[input.identifier] -%}
            {%- do assert_balanced(input) -%}
            {%- do changes.append('all' if is_rebuild else _changed_rows(input, column, seen.get(input.identifier), table_state(input).version)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if backfilled_days() and not is_rebuild -%}{%- do changes.extend(_backfilled_keys(column)) -%}{%- endif -%}
    {%- set changes = changes | reject('equalto', 'none') | list -%}
    {%- set plan = _everything() if is_rebuild or 'all' in changes else (_touched_keys(column, changes) if changes else _nothing()) -%}
    {%- do plan.update({'consumed': consumed, 'is_unchanged': plan.window == 'false'}) -%}
    {{- return(plan) -}}
{%- endmacro -%}

{#- What a backfill adds to the changes: the keys of the input rows of its days, and of those days that only the table still has. If no input has
    both a time (config event_time) and the column, everything is computed again. -#}
{%- macro _backfilled_keys(column) -%}
    {%- set found = [] -%}
    {%- for node in inputs_of(model) if column in node.columns and node.config.get('event_time') -%}
        {%- do name_table(relation_of(node)) -%}
        {%- do found.append('select ' ~ column ~ ' from ' ~ relation_of(node) ~ ' where ' ~ is_backfilled(node.config.event_time)) -%}
    {%- endfor -%}
    {%- if found and model.columns[column].data_type == 'date' -%}
        {%- do name_table(this) -%}
        {%- do found.append('select ' ~ column ~ ' from ' ~ this ~ ' where ' ~ is_backfilled(column)) -%}
    {%- endif -%}
    {{- return(found or ['all']) -}}
{%- endmacro -%}

{#- What changed in an input since a position: 'none', 'all', or a query for the key column of the changed rows as they are and
    as they were. Changed rows are found by their batch, and their old state in the earlier version, so only MERGEs by its unique_key may
    have changed the input since; after anything else, all of it counts as changed. A backfill changes rows of old batches, so after one the
    two versions are compared. The earlier version can be read as long as VACUUM keeps its files, counted from the commit that replaced the
    first of them. -#}
{%- macro _changed_rows(input, column, position, newest) -%}
    {%- set changes = run_memory('changes') -%}
    {%- set name = input ~ ' since ' ~ position -%}
    {%- if name not in changes -%}
        {%- do changes.update({name: _changes_since(input, position, newest)}) -%}
    {%- endif -%}
    {%- set change = changes[name] -%}
    {%- if change is string -%}
        {{- return(change) -}}
    {%- elif column not in node_of(input).columns -%}
        {{- return('all') -}}
    {%- endif -%}
    {{- return('select ' ~ column ~ ' from ' ~ change | join(' union all select ' ~ column ~ ' from ')) -}}
{%- endmacro -%}

{%- macro _changes_since(input, position, newest) -%}
    {%- set seen = (position or '').split('@')[0] | int(-1) -%}
    {%- if seen < 0 or seen >= newest -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set commits = commits_of(input, newest - seen + 1) -%}
    {%- if not commits or [seen, commits[-1].committed_at] | join('@') != position.split('@')[:2] | join('@') or commits[-1].version != seen -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set replacing = commits[:-1] | rejectattr('operation', 'in', commits_without_data()) | list -%}
    {%- set operations = replacing | map(attribute='operation') | reject('in', ['OPTIMIZE', 'REORG']) | unique | list -%}
    {%- if not operations -%}
        {{- return('none') -}}
    {%- endif -%}
    {%- set oldest = (modules.datetime.datetime.now(modules.pytz.utc).timestamp() - var('time_travel_days') * 86400) * 1000 -%}
    {%- set columns = (node_of(input) or {'columns': {}}).columns -%}
    {%- set key = unique_key_of(input) -%}
    {%- if replacing[-1].committed_at < oldest or not commits[-1].is_readable or operations != ['MERGE'] or 'batch_id' not in columns or not key -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- do name_table(input) -%}
    {%- set before = input ~ ' version as of ' ~ seen -%}
    {%- set now = input ~ ' version as of ' ~ newest -%}
    {%- if seen <= table_properties(input).get('medallion.backfilled_after', -1) | int -%}
        {%- set rows = ['select * from ' ~ before, 'select * from ' ~ now] -%}
        {{- return(['(' ~ rows | join(' except ') ~ ') as before', '(' ~ rows | reverse | join(' except ') ~ ') as after']) -}}
    {%- endif -%}
    {%- set batch = (position.split('@') + [none])[2] -%}
    {%- if batch is none -%}
        {%- set batch = run_query('select coalesce(max(batch_id), 0) as batch_id from ' ~ before).rows[0][0] | int -%}
    {%- endif -%}
    {%- set same_key = [] -%}
    {%- for name in key -%}{%- do same_key.append('before.' ~ name ~ ' <=> after.' ~ name) -%}{%- endfor -%}
    {%- set after = '(select * from ' ~ now ~ ' where batch_id > ' ~ batch ~ ') as after' -%}
    {{- return([
        after,
        '(select before.* from (select * from ' ~ before ~ ') as before inner join ' ~ after ~ ' on ' ~ same_key | join(' and ') ~ ') as before',
    ]) -}}
{%- endmacro -%}

{%- macro _everything() -%}{{- return({'window': 'true', 'replaced': 'true'}) -}}{%- endmacro -%}
{%- macro _nothing() -%}{{- return({'window': 'false', 'replaced': 'false'}) -}}{%- endmacro -%}

{#- The predicate for the keys that changed: as `window` for the query, as `replaced` for the write. -#}
{%- macro _touched_keys(column, changes) -%}
    {%- set limit = var('max_touched_keys') -%}
    {%- set sql = 'select distinct typeof(' ~ column ~ ') as type, cast(' ~ column ~ ' as string) as key from ('
        ~ changes | join(' union all ') ~ ') as changes limit ' ~ (limit + 1) -%}
    {%- set known = run_memory('changes') -%}
    {%- if sql not in known -%}{%- do known.update({sql: run_query(sql).rows}) -%}{%- endif -%}
    {%- set keys = known[sql] -%}
    {%- if not keys -%}
        {{- return(_nothing()) -}}
    {#- Delta parses the predicate of a write once more, and Spark substitutes ${...} in whatever it parses -#}
    {%- elif keys | length > limit or '$' in (keys | map(attribute='key') | join) -%}
        {{- return(_everything()) -}}
    {%- endif -%}
    {%- set literals = [] -%}
    {%- for key in keys if key['key'] is not none -%}
        {%- do literals.append('cast(' ~ sql_literal(key['key']) ~ ' as ' ~ key['type'] ~ ')') -%}
    {%- endfor -%}
    {%- set is_null = [column ~ ' is null'] if literals | length < keys | length else [] -%}
    {%- set window = ([column ~ ' in (' ~ literals | join(', ') ~ ')'] if literals else []) + is_null -%}
    {%- set replaced = ([on_engine('is_replaced', column, literals)] if literals else []) + is_null -%}
    {{- return({'key_count': keys | length, 'window': '(' ~ window | join(' or ') ~ ')', 'replaced': '(' ~ replaced | join(' or ') ~ ')'}) -}}
{%- endmacro -%}
