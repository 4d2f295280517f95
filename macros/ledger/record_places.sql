{#- Enters where records of a source went into the row ledger. -#}
{%- macro record_places(source, places) -%}
    {%- if not places -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set entries = [] -%}
    {%- for row in places -%}
        {%- do entries.append(
            '(' ~ row['batch_id'] ~ ', ' ~ sql_literal(row['place']) ~ ', '
            ~ (sql_literal(row['reason']) if row['reason'] else 'cast(null as string)') ~ ', ' ~ row['record_count'] ~ ')'
        ) -%}
    {%- endfor -%}
    {%- do name_table(row_ledger()) -%}
    {%- call statement('record_places') -%}
        insert into {{ row_ledger() }}
        select
            '{{ source }}', cast(batch_id as bigint), place, reason, cast(record_count as bigint), '{{ invocation_id }}',
            current_timestamp()
        from values {{ entries | join(', ') }} as counted(batch_id, place, reason, record_count)
    {%- endcall -%}
{%- endmacro -%}


{#- What a full refresh by changed rules moved in or out of quarantine, or what was discarded there, as corrections of what is
    recorded: the ledger is only added to, like any ledger. What they leave in balance went to silver, or came from there. -#}
{%- macro rejudged_places(source, counted, batch_ids, places=['quarantined', 'unreadable', 'discarded']) -%}
    {%- if not batch_ids -%}
        {{- return([]) -}}
    {%- endif -%}
    {%- set recorded = run_query(
        'select batch_id, place, reason, sum(record_count) as record_count from ' ~ row_ledger() ~ " where source = '" ~ source
        ~ "' and place in ('" ~ places | join("', '") ~ "') and batch_id in (" ~ batch_ids | join(', ')
        ~ ') group by batch_id, place, reason'
    ).rows -%}
    {%- set moved = {} -%}
    {%- for row in counted if row['batch_id'] in batch_ids and row['place'] in places -%}
        {%- do moved.update({(row['batch_id'], row['place'], row['reason']): row['record_count']}) -%}
    {%- endfor -%}
    {%- for row in recorded -%}
        {%- set key = (row['batch_id'], row['place'], row['reason']) -%}
        {%- do moved.update({key: moved.get(key, 0) - row['record_count']}) -%}
    {%- endfor -%}
    {%- set corrections = [] -%}
    {%- for (batch_id, place, reason), record_count in moved.items() if record_count -%}
        {%- do corrections.append({'batch_id': batch_id, 'place': place, 'reason': reason, 'record_count': record_count}) -%}
    {%- endfor -%}
    {%- for batch_id, rows in corrections | groupby('batch_id') if rows | sum(attribute='record_count') -%}
        {%- do corrections.append(
            {'batch_id': batch_id, 'place': 'rejudged', 'reason': none, 'record_count': 0 - rows | sum(attribute='record_count')}
        ) -%}
    {%- endfor -%}
    {{- return(corrections) -}}
{%- endmacro -%}
