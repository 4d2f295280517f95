{#- Predicate for the keys (days, customers, ...) that changes of the inputs touch, old and new place of a moved row alike:
    the model computes exactly these again, and its strategy `replace_where` exchanges them. Without changes the run writes
    nothing. Everything is computed again on a first run or full refresh, when it cannot be told what changed of an input
    (_changed_rows), when an input has no such column, when the reporting currency is another, or when more keys are touched
    than a literal list should hold. -#}
{%- macro touched(column, inputs) -%}
    {%- if not is_building() -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set seen = consumed_positions(this) if is_incremental() else {} -%}
    {%- set consumed = {'reporting_currency': var('reporting_currency')} -%}
    {%- set changes = [] -%}
    {%- set window = namespace(all=seen.get('reporting_currency') != var('reporting_currency')) -%}
    {%- for input in inputs -%}
        {%- set newest = table_commits(input)[0] -%}
        {%- set position = _position(newest) -%}
        {%- do consumed.update({input.identifier: position}) -%}
        {%- if seen.get(input.identifier) != position -%}{%- do assert_balanced(input) -%}{%- endif -%}
        {%- if seen.get(input.identifier) != position and not window.all -%}
            {%- set change = _changed_rows(input, column, seen.get(input.identifier), newest.version) -%}
            {%- if change == 'all' -%}
                {%- set window.all = true -%}
            {%- elif change != 'none' -%}
                {%- do changes.append(change) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set predicate = 'true' if window.all else (_touched_keys(column, changes) if changes else 'false') -%}
    {{ predicate }} {{ write_plan({'consumed': consumed, 'replace_where': predicate, 'skip': predicate == 'false'}) }}
{%- endmacro -%}

{#- A version with the time of its commit, so that the same version of a table that was dropped and made anew is told apart. -#}
{%- macro _position(commit) -%}
    {{- return(commit.version ~ '@' ~ commit.committed_at) -}}
{%- endmacro -%}

{#- What changed of an input since a position: 'none', 'all', or a query for the key column of the changed rows as they are and
    as they were. The rows are told by their batch, and what they were by the version before, so an input must be a table that
    only MERGEs by its unique_key have changed since: after anything else, all of it counts as changed. The version before can be
    read for as long as VACUUM keeps its files, and they are kept from the commit on that replaced the first of them. -#}
{%- macro _changed_rows(input, column, position, newest) -%}
    {%- set seen = (position or '').split('@')[0] | int(-1) -%}
    {%- if seen < 0 or seen >= newest -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set commits = table_commits(input, newest - seen + 1) -%}
    {%- if _position(commits[-1]) != position -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set replacing = commits[:-1] | rejectattr('operation', 'in', commits_without_data()) | list -%}
    {%- set operations = replacing | map(attribute='operation') | reject('in', ['OPTIMIZE', 'REORG']) | unique | list -%}
    {%- if not operations -%}
        {{- return('none') -}}
    {%- endif -%}
    {%- set oldest = (modules.datetime.datetime.now(modules.pytz.utc) - modules.datetime.timedelta(days=var('time_travel_days'))).isoformat() -%}
    {%- if replacing[-1].committed_at < oldest -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(input) | map(attribute='name') | list -%}
    {%- set key = _unique_key(input) -%}
    {%- if not commits[-1].is_readable or operations != ['MERGE'] or column not in columns or 'batch_id' not in columns or not key -%}
        {{- return('all') -}}
    {%- endif -%}
    {%- set before = input ~ ' version as of ' ~ seen -%}
    {%- set batch = run_query('select coalesce(max(batch_id), 0) as batch_id from ' ~ before).rows[0][0] | int -%}
    {%- set same_key = [] -%}
    {%- for name in key -%}{%- do same_key.append('before.' ~ name ~ ' <=> after.' ~ name) -%}{%- endfor -%}
    {%- set after = '(select * from ' ~ input ~ ' version as of ' ~ newest ~ ' where batch_id > ' ~ batch ~ ') as after' -%}
    {{- return(
        'select ' ~ column ~ ' from ' ~ after ~ ' union all select before.' ~ column ~ ' from (select * from ' ~ before
        ~ ') as before inner join ' ~ after ~ ' on ' ~ same_key | join(' and ')
    ) -}}
{%- endmacro -%}

{%- macro _unique_key(relation) -%}
    {%- for node in graph.nodes.values() if node.schema == relation.schema and node.alias == relation.identifier -%}
        {%- set key = node.config.get('unique_key') or [] -%}
        {{- return([key] if key is string else key) -}}
    {%- endfor -%}
    {{- return([]) -}}
{%- endmacro -%}

{%- macro _touched_keys(column, changes) -%}
    {%- set limit = var('max_touched_keys') -%}
    {%- set keys = run_query(
        'select distinct typeof(' ~ column ~ ') as type, cast(' ~ column ~ ' as string) as key from ('
        ~ changes | join(' union all ') ~ ') as changes limit ' ~ (limit + 1)
    ).rows -%}
    {%- if not keys -%}
        {{- return('false') -}}
    {%- elif keys | length > limit -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set literals = [] -%}
    {%- for key in keys if key['key'] is not none -%}
        {%- do literals.append('cast(' ~ sql_literal(key['key']) ~ ' as ' ~ key['type'] ~ ')') -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- if literals -%}{%- do parts.append(column ~ ' in (' ~ literals | join(', ') ~ ')') -%}{%- endif -%}
    {%- if literals | length < keys | length -%}{%- do parts.append(column ~ ' is null') -%}{%- endif -%}
    {{- return('(' ~ parts | join(' or ') ~ ')') -}}
{%- endmacro -%}
