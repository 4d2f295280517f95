{#- Predicate for the keys (days, customers, ...) that changes of the inputs touch, old and new place of a moved row alike:
    the model computes exactly these again, and its strategy `replace_where` exchanges them. Without changes the run writes
    nothing. Everything is computed again on a first run or full refresh, when an input has no such column, when an input was
    made anew, when the change feed does not reach back far enough, when the reporting currency is another, or when more keys
    are touched than a literal list should hold. -#}
{%- macro touched(column, inputs) -%}
    {%- if not is_building() -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set seen = consumed_positions(this) if is_incremental() else {} -%}
    {%- set consumed = {'reporting_currency': var('reporting_currency')} -%}
    {%- set changes = [] -%}
    {%- set window = namespace(all=seen.get('reporting_currency') != var('reporting_currency')) -%}
    {%- for input in inputs -%}
        {%- set position = table_position(input) -%}
        {%- do consumed.update({input.identifier: position.text}) -%}
        {%- if seen.get(input.identifier) != position.text -%}
            {%- set since = _version_seen(input, seen.get(input.identifier), position) -%}
            {%- if since is none or (column and column not in adapter.get_columns_in_relation(input) | map(attribute='name')) -%}
                {%- set window.all = true -%}
            {%- else -%}
                {%- do changes.append(
                    "table_changes('" ~ input.schema ~ '.' ~ input.identifier ~ "', " ~ (since + 1) ~ ', ' ~ position.version ~ ')'
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set predicate = 'true' if window.all else (_touched_keys(column, changes) if changes else 'false') -%}
    {{ predicate }} {{ write_plan({'consumed': consumed, 'replace_where': predicate, 'skip': predicate == 'false'}) }}
{%- endmacro -%}

{#- The version up to which the input was consumed, if the change feed can tell what came after it: the table must still be
    the same one (the commit of that version has the same time), and its old files must not be up for VACUUM. -#}
{%- macro _version_seen(input, text, position) -%}
    {%- if not text -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set version = text.split('@')[0] | int -%}
    {%- set oldest = (modules.datetime.datetime.now(modules.pytz.utc) - modules.datetime.timedelta(days=var('change_feed_days'))).isoformat() -%}
    {%- if version >= position.version or text.split('@')[1] < oldest -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set commit = run_query('describe history ' ~ input ~ ' limit ' ~ (position.version - version + 1)).rows[-1] -%}
    {{- return(version if position_text(commit) == text else none) -}}
{%- endmacro -%}

{%- macro _touched_keys(column, changes) -%}
    {%- set limit = var('max_touched_keys') -%}
    {%- set queries = [] -%}
    {%- for change in changes -%}
        {%- do queries.append(
            'select ' ~ ('typeof(' ~ column ~ ') as type, cast(' ~ column ~ ' as string) as key' if column else "'' as type, '' as key")
            ~ ' from ' ~ change
        ) -%}
    {%- endfor -%}
    {%- set keys = run_query(
        'select distinct type, key from (' ~ queries | join(' union all ') ~ ') limit ' ~ (limit + 1)
    ).rows -%}
    {%- if not keys -%}
        {{- return('false') -}}
    {%- elif not column or keys | length > limit -%}
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
