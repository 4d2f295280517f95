{#- Finds the place of every landed record of a source, batch by batch, after silver and quarantine were written, and enters
    the counts into the row ledger. A record is told by batch, file and number: it is in silver, in quarantine, or silver holds
    another record of its key that it must not replace, or the model leaves it out by a condition that it declares. The build fails if one is nowhere, or in two places. The two are counted
    apart, so that a record which is there twice cannot stand in for one that is lost.
    Looks at the batches after `since` and at those that the ledger does not hold yet; without any, one small query is all. -#}
{%- macro balance_rows(relation, since, predicates=[]) -%}
    {%- set source = config.get('ledger', {}).get('source') -%}
    {%- if not source -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set batches = run_query(_landed_sql(source, since)).rows -%}
    {%- if not batches -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set ids = batches | map(attribute='batch_id') | map('int') | list -%}
    {%- set recorded = batches | selectattr('is_recorded') | map(attribute='batch_id') | list -%}
    {%- set of_batches = 'batch_id between ' ~ ids | min ~ ' and ' ~ ids | max -%}
    {%- set found_sql = _found_sql(relation, source, of_batches) -%}
    {#- the MERGE was pruned by the batches after `since`: versions of an older batch may lie elsewhere -#}
    {%- set judged_sql = _judged_sql(relation, source, of_batches, predicates if ids | min > since else []) -%}
    {%- set counted = _count_places(found_sql, judged_sql) -%}
    {%- set by_batch = {} -%}
    {%- for batch_id, rows in counted | groupby('batch_id') -%}{%- do by_batch.update({batch_id: rows}) -%}{%- endfor -%}
    {%- for batch in batches -%}
        {%- set rows = by_batch.get(batch['batch_id'], []) -%}
        {%- set here = rows | sum(attribute='record_count') -%}
        {%- set lost = rows | rejectattr('place') | sum(attribute='record_count') + [batch['landed'] - here, 0] | max -%}
        {%- if lost or here != batch['landed'] or rows | selectattr('place', 'equalto', 'twice') | list -%}
            {%- do _refuse_to_go_on(relation, source, batch, lost, found_sql ~ judged_sql) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do record_rules(source, of_batches, counted) -%}
    {%- do assert_few_refused(relation, source, batches | rejectattr('is_recorded') | list, by_batch) -%}
    {%- set places = counted | rejectattr('batch_id', 'in', recorded) | list -%}
    {%- set places = places + rejudged_places(source, counted, recorded, ['quarantined', 'unreadable', 'discarded', 'filtered']) -%}
    {%- do record_places(source, places) -%}
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

{#- Counts by batch, place and reason, which add up to the records of bronze, or to more where a record is there twice. Most are
    found by their identity alone, which reads three columns; only the others are judged once more, and counted once each. They
    are listed by name, so that the engine reads these only, unless they are too many. -#}
{%- macro _count_places(found_sql, judged_sql) -%}
    {%- set by_place = ' select batch_id, place, reason, count(*) as record_count from ' -%}
    {%- set counted = run_query(found_sql ~ by_place ~ 'found group by batch_id, place, reason').rows | list -%}
    {%- set unplaced = counted | rejectattr('place') | sum(attribute='record_count') -%}
    {%- if not unplaced -%}
        {{- return(counted) -}}
    {%- endif -%}
    {%- if unplaced <= 10000 -%}
        {%- set names = run_query(found_sql ~ ' select ' ~ _identity_of('found') ~ ' as name from found where place is null').columns[0].values() -%}
        {%- set listed = [] -%}
        {%- for name in names -%}{%- do listed.append(sql_literal(name)) -%}{%- endfor -%}
        {%- set judged_sql = judged_sql | replace(_is_unplaced(), _identity_of('judged') ~ ' in (' ~ listed | join(', ') ~ ')') -%}
    {%- endif -%}
    {%- set judged = run_query(found_sql ~ judged_sql ~ by_place ~ 'placed group by batch_id, place, reason').rows | list -%}
    {%- set placed = {} -%}
    {%- for batch_id, rows in judged | selectattr('place') | groupby('batch_id') -%}
        {%- do placed.update({batch_id: rows | sum(attribute='record_count')}) -%}
    {%- endfor -%}
    {%- set lost = [] -%}
    {%- for row in counted if not row['place'] and row['record_count'] > placed.get(row['batch_id'], 0) -%}
        {%- do lost.append({
            'batch_id': row['batch_id'], 'place': none, 'reason': none,
            'record_count': row['record_count'] - placed.get(row['batch_id'], 0),
        }) -%}
    {%- endfor -%}
    {{- return(counted | selectattr('place') | list + judged | selectattr('place') | list + lost) -}}
{%- endmacro -%}

{#- A CTE `found`: one row a record of bronze, `place` NULL where it is neither in silver nor in quarantine. -#}
{%- macro _found_sql(relation, source, of_batches) -%}
    with found as (
        select
            landed.batch_id,
            landed.source_file,
            landed.record_number,
            case
                when kept.batch_id is not null and refused.batch_id is not null then 'twice'
                when refused.batch_id is not null then {{ _refused_place() }}
                else kept.place
            end as place,
            refused.reason
        from (
            select batch_id, source_file, record_number, unreadable_reason
            from {{ _of_source('bronze', source) }} where {{ of_batches }}
        ) as landed
        left join (
            select
                batch_id, source_file, record_number,
                case
                    {%- if config.get('ledger').get('deleted') %}
                    when {{ config.get('ledger')['deleted'] }} then 'deleted'
                    {%- endif %}
                    when first_batch_id = batch_id then 'new'
                    else 'updated'
                end as place
            from {{ relation }} where {{ of_batches }}
        ) as kept
            on landed.batch_id = kept.batch_id
            and landed.source_file = kept.source_file
            and landed.record_number = kept.record_number
        left join ({{ refused_records(source, of_batches) }}) as refused
            on landed.batch_id = refused.batch_id
            and landed.source_file = refused.source_file
            and landed.record_number = refused.record_number
    )
{%- endmacro -%}

{#- A CTE `placed`, for the records that were not found: each beside the row of its key, `place` NULL where that should be it. One
    row a record: where silver holds its key twice, or the judged view gives it twice, that is its place. -#}
{%- macro _judged_sql(relation, source, of_batches, predicates) -%}
    {%- set same_key = [] + predicates -%}
    {%- for key in _unique_key(relation) -%}
        {%- do same_key.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' <=> DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
    {%- for cte in model.get('extra_ctes', []) %}, {{ cte.sql }}{% endfor %},
    compared as (
        select
            DBT_INTERNAL_SOURCE.batch_id,
            DBT_INTERNAL_SOURCE.source_file,
            DBT_INTERNAL_SOURCE.record_number,
            DBT_INTERNAL_SOURCE.filter_reason,
            case
                when size(DBT_INTERNAL_SOURCE.violated_rules) > 0 then null
                when DBT_INTERNAL_SOURCE.filter_reason is not null then 'filtered'
                when DBT_INTERNAL_DEST.batch_id is null then null
                when {{ is_newer('DBT_INTERNAL_DEST', 'DBT_INTERNAL_SOURCE') }} then 'superseded'
                {%- if config.get('newest_by') %}
                when not DBT_INTERNAL_SOURCE.record_hash <=> DBT_INTERNAL_DEST.record_hash then null
                {%- endif %}
                when DBT_INTERNAL_SOURCE.batch_id = DBT_INTERNAL_DEST.batch_id then 'duplicate'
                else 'unchanged'
            end as place
        from (
            select
                judged.*,
                case
                    {%- for reason, condition in config.get('ledger').get('filtered', {}).items() %}
                    when {{ condition }} then {{ sql_literal(reason) }}
                    {%- endfor %}
                    when false then ''
                end as filter_reason
            from {{ _judged_name(source) }} as judged
            where judged.{{ of_batches }} and {{ _is_unplaced() }}
        ) as DBT_INTERNAL_SOURCE
        left join {{ relation }} as DBT_INTERNAL_DEST on {{ same_key | join(' and ') }}
    ),
    placed as (
        select
            batch_id,
            source_file,
            record_number,
            case when max(place) = 'filtered' then max(filter_reason) end as reason,
            case when count(*) > 1 then 'twice' else max(place) end as place
        from compared
        group by batch_id, source_file, record_number
    )
{%- endmacro -%}

{#- Sail has no views that last: there the judged view is a CTE of the model. -#}
{%- macro _judged_name(source) -%}
    {{- return('__dbt__cte__judged_' ~ source if model.get('extra_ctes') else _of_source('judged', source)) -}}
{%- endmacro -%}

{%- macro _name_of(record) -%}
    {{- return("concat(" ~ record ~ ".source_file, ' record ', " ~ record ~ ".record_number)") -}}
{%- endmacro -%}

{%- macro _identity_of(record) -%}
    {{- return('concat(' ~ record ~ ".batch_id, ' ', " ~ record ~ ".source_file, ' ', " ~ record ~ '.record_number)') -}}
{%- endmacro -%}

{%- macro _is_unplaced() -%}
    {{- return(
        'exists (select 1 from found where found.place is null and found.batch_id = judged.batch_id '
        ~ 'and found.source_file = judged.source_file and found.record_number = judged.record_number)'
    ) -}}
{%- endmacro -%}

{%- macro _of_source(layer, source) -%}
    {%- set node = _node_of_source(layer, source) -%}
    {{- return(api.Relation.create(schema=node.schema, identifier=node.alias)) -}}
{%- endmacro -%}

{%- macro _node_of_source(layer, source) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == layer ~ '_' ~ source -%}
        {{- return(node) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(model.name ~ ": no model " ~ layer ~ "_" ~ source ~ ", which its row ledger needs.") -}}
{%- endmacro -%}

{%- macro _refuse_to_go_on(relation, source, batch, lost, ctes) -%}
    {%- if lost -%}
        {%- set problem = lost ~ ' of ' ~ batch['landed'] ~ ' landed records are lost: neither ' ~ relation ~ ' nor '
            ~ _of_source('quarantine', source) ~ ' accounts for them' -%}
        {%- set wrong = 'max(place) is null' -%}
    {%- else -%}
        {%- set problem = 'some of the ' ~ batch['landed'] ~ ' landed records are there twice: in ' ~ relation ~ ', or in '
            ~ _of_source('quarantine', source) ~ ' as well' -%}
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
        ~ source ~ ' and build again; what the model shall leave out is declared in its config `ledger: {filtered: ...}`; after a change of a rule run medallion quarantine replay ' ~ source ~ ' --apply.'
    ) -}}
{%- endmacro -%}
