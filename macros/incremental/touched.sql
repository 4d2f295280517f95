{#- Predicate for the keys (days, customers, ...) that changes of the inputs touch, old and new value of a moved row
    alike: the model computes exactly these again and its strategy `replace_where` exchanges them.
    Everything is computed again on a first run or full refresh, when an input has no such column, when an input was
    made anew, or when more keys are touched than a literal list should hold. Without changes the run writes nothing. -#}
{%- macro touched(column, inputs) -%}
    {%- if not execute -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set seen = consumed_positions(this) if is_incremental() else {} -%}
    {%- set versions = {} -%}
    {%- set changes = [] -%}
    {%- set window = namespace(predicate='true' if not is_incremental() else none) -%}
    {%- for input in inputs -%}
        {%- set version = table_version(input) -%}
        {%- do versions.update({input.identifier: version}) -%}
        {%- set since = seen.get(input.identifier) -%}
        {%- if since is none or since > version -%}
            {%- set window.predicate = 'true' -%}
        {%- elif since < version and column and column not in adapter.get_columns_in_relation(input) | map(attribute='name') -%}
            {%- set window.predicate = 'true' -%}
        {%- elif since < version -%}
            {%- do changes.append("table_changes('" ~ input.schema ~ "." ~ input.identifier ~ "', " ~ (since + 1) ~ ", " ~ version ~ ")") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if window.predicate is none and changes -%}
        {%- set window.predicate = _touched_keys(column, changes) -%}
    {%- endif -%}
    {%- set plan = {'consumed': versions, 'replace_where': window.predicate or 'false', 'skip': window.predicate is none} -%}
    {{ window.predicate or 'false' }} {{ write_plan(plan) }}
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
        {{- return(none) -}}
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
