{#- Finds the place of every landed record of a source, batch by batch, after silver and quarantine were written, and enters
    the counts into the row ledger. A record is identified by batch, file and number: it is in silver, in quarantine, beside another record of
    its key that it must not replace, or left out by a condition that the model declares. The build fails if one is in no place, or in two.
    The two are counted separately, so that a doubled record cannot hide a lost one. Covers the batches after `since` and those that the
    ledger does not have yet; if there are none, one small query is all. -#}
{%- macro balance_rows(plan) -%}
    {%- set relation = plan.table -%}
    {%- set since = plan.since -%}
    {%- set source = config.get('ledger')['source'] -%}
    {%- for table in [file_ledger(), row_ledger(), discarded_records(), table_of_source('bronze', source), table_of_source('quarantine', source)] -%}
        {%- do name_table(table) -%}
    {%- endfor -%}
    {%- set batches = run_query(_landed_sql(source, since)).rows -%}
    {%- if not batches -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set ids = batches | map(attribute='batch_id') | map('int') | list -%}
    {%- set recorded = batches | selectattr('is_recorded') | map(attribute='batch_id') | list -%}
    {%- set of_batches = 'batch_id between ' ~ ids | min ~ ' and ' ~ ids | max -%}
    {#- the MERGE was pruned by the batches after `since`; versions of an older batch may be elsewhere -#}
    {%- set pruning = plan.pruning if ids | min > since else [] -%}
    {%- set counted = count_places(relation, source, of_batches, pruning) -%}
    {%- set by_batch = {} -%}
    {%- for batch_id, rows in counted | groupby('batch_id') -%}{%- do by_batch.update({batch_id: rows}) -%}{%- endfor -%}
    {%- for batch in batches -%}
        {%- set rows = by_batch.get(batch['batch_id'], []) -%}
        {%- set here = rows | sum(attribute='record_count') -%}
        {%- set lost = rows | rejectattr('place') | sum(attribute='record_count') + [batch['landed'] - here, 0] | max -%}
        {%- if lost or here != batch['landed'] or rows | selectattr('place', 'equalto', 'twice') | list -%}
            {%- do _refuse_to_go_on(relation, source, batch, lost, places_ctes(relation, source, of_batches, pruning)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do record_rules(source, of_batches, counted) -%}
    {%- do assert_few_refused(relation, source, batches | rejectattr('is_recorded') | list, by_batch) -%}
    {%- set places = counted | rejectattr('batch_id', 'in', recorded) | list -%}
    {%- set places = places + rejudged_places(source, counted, recorded, ['quarantined', 'unreadable', 'discarded', 'filtered']) -%}
    {%- do record_places(source, places) -%}
    {%- do run_memory('books').get(source, {}).update({'placed': ids | max}) -%}
    {%- do run_memory('balanced').update({relation.identifier: true}) -%}
{%- endmacro -%}

{#- A file that two builds entered at once is counted once. -#}
{%- macro _landed_sql(source, since) -%}
    select
        files.batch_id,
        sum(files.record_count) as landed,
        max(files.batch_id) <= max(recorded.batch_id) as is_recorded
    from (
        select batch_id, source_file, max(record_count) as record_count
        from {{ file_ledger() }}
        where source = '{{ source }}'
        group by batch_id, source_file
    ) as files
    cross join (select coalesce(max(batch_id), 0) as batch_id from {{ row_ledger() }} where source = '{{ source }}') as recorded
    where files.batch_id > least(recorded.batch_id, {{ since }})
    group by files.batch_id
    having sum(files.record_count) > 0
{%- endmacro -%}

{%- macro _refuse_to_go_on(relation, source, batch, lost, ctes) -%}
    {%- if lost -%}
        {%- set problem = lost ~ ' of ' ~ batch['landed'] ~ ' landed records are lost: neither ' ~ relation ~ ' nor '
            ~ table_of_source('quarantine', source) ~ ' accounts for them' -%}
        {%- set wrong = 'max(place) is null' -%}
    {%- else -%}
        {%- set problem = 'some of the ' ~ batch['landed'] ~ ' landed records are there twice: in ' ~ relation ~ ', or in '
            ~ table_of_source('quarantine', source) ~ ' as well' -%}
        {%- set wrong = "count(place) > 1 or max(place) = 'twice'" -%}
    {%- endif -%}
    {%- set examples = run_query(
        ctes ~ ' select ' ~ _name_of('known') ~ ' as name from (select batch_id, source_file, record_number, place from found '
        ~ 'union all select batch_id, source_file, record_number, place from placed) as known where batch_id = ' ~ batch['batch_id']
        ~ ' group by source_file, record_number having ' ~ wrong ~ ' order by source_file, record_number limit 3'
    ).columns[0].values() | join(', ') -%}
    {{- exceptions.raise_compiler_error(
        'Source ' ~ source ~ ', batch ' ~ batch['batch_id'] ~ ': ' ~ problem ~ (' (' ~ examples ~ ')' if examples) ~ '. '
        ~ 'Nothing that is built on ' ~ relation.identifier ~ ' was built. Compare the predicates of the two models with those of judged_'
        ~ source ~ ' and build again. '
        ~ 'Declare what the model leaves out on purpose in its config `ledger: {filtered: ...}`. '
        ~ 'After a change of a rule run medallion quarantine replay ' ~ source ~ ' --apply.'
    ) -}}
{%- endmacro -%}

{#- Whether the row ledger has the newest batch, for a model that answers for the records of a source. -#}
{%- macro is_accounted_for(newest) -%}
    {%- set source = (config.get('ledger') or {}).get('source') -%}
    {{- return(not source or books_of(source)['placed'] >= newest) -}}
{%- endmacro -%}

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


{#- What a rebuild by changed rules moved in or out of quarantine, or what was discarded there, as corrections: the ledger is append-only. What
    remains in balance went to silver, or came from there. -#}
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

{#- Stops if a silver table has rows of a batch that its ledger did not balance: they must not reach what is built on it, even when that is
    selected alone. Otherwise the rows that the next build adds to the same batch could not be told from them. -#}
{%- macro assert_balanced(relation) -%}
    {%- set ledger = (node_of(relation) or {'config': {}}).config.get('ledger') -%}
    {%- set balanced = run_memory('balanced') -%}
    {%- if ledger and relation.identifier not in balanced -%}
        {%- set held = run_query('select coalesce(max(batch_id), 0) from ' ~ by_place(relation)).rows[0][0] | int -%}
        {%- set known = consumed_positions(relation).get('bronze_' ~ ledger['source'], 0) | int -%}
        {%- if held > known -%}
            {{- exceptions.raise_compiler_error(
                relation ~ ' holds batch ' ~ held ~ ', which its row ledger has not balanced, because its build failed or has not ended. '
                ~ 'Nothing was built on it. Build it first, for instance with --select +' ~ model.name ~ '.'
            ) -}}
        {%- endif -%}
        {%- do balanced.update({relation.identifier: true}) -%}
    {%- endif -%}
{%- endmacro -%}
