{#- The rules of a judged model from its `meta.rules`, names and conditions: those that put a record into quarantine, or those that only
    warn. -#}
{%- macro declared_rules(node, severity='quarantine') -%}
    {%- set conditions = {} -%}
    {%- for name, rule in node.config.meta['rules'].items() -%}
        {%- set told = rule if rule is mapping else {'condition': rule} -%}
        {%- set its = told.get('severity', 'quarantine') -%}
        {%- if its not in ['quarantine', 'warn'] or 'condition' not in told -%}
            {{- exceptions.raise_compiler_error(
                'Rule ' ~ name ~ ' of ' ~ node.name ~ ': write a condition, or {condition: ..., severity: warn}; severity is quarantine or '
                ~ 'warn. To stop a build, use fail_above.'
            ) -}}
        {%- elif its == severity -%}
            {%- do conditions.update({name: told['condition']}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(conditions) -}}
{%- endmacro -%}

{#- Stops if more of a batch broke a rule than `fail_above` of the judged model allows; `any` stands for all rules together. -#}
{%- macro assert_few_refused(relation, source, batches, by_batch) -%}
    {%- set judged = node_of_source('judged', source) -%}
    {%- for rule, share in judged.config.meta.get('fail_above', {}).items() -%}
        {%- if rule != 'any' and rule not in declared_rules(judged) -%}
            {{- exceptions.raise_compiler_error('judged_' ~ source ~ ": fail_above names '" ~ rule ~ "', which is not one of its rules that put records into quarantine.") -}}
        {%- endif -%}
        {%- for batch in batches -%}
            {%- set refused = [] -%}
            {%- for row in by_batch.get(batch['batch_id'], []) if row['place'] in ['quarantined', 'unreadable'] -%}
                {%- if rule == 'any' or rule in row['reason'].split(', ') -%}{%- do refused.append(row['record_count']) -%}{%- endif -%}
            {%- endfor -%}
            {%- if refused | sum > share * batch['landed'] -%}
                {{- exceptions.raise_compiler_error(
                    'Source ' ~ source ~ ', batch ' ~ batch['batch_id'] ~ ': ' ~ refused | sum ~ ' of ' ~ batch['landed'] ~ ' records break '
                    ~ ('a rule' if rule == 'any' else rule) ~ ', more than the share of ' ~ share ~ ' that fail_above of judged_' ~ source
                    ~ ' allows. Nothing that is built on ' ~ relation.identifier ~ ' was built. Look at them with medallion quarantine show '
                    ~ source ~ '; correct the rule and replay, give the records up (medallion quarantine discard), or raise fail_above, and '
                    ~ 'build again.'
                ) -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro -%}

{#- Enters how many records of some batches broke each rule, including rules that only warn. What is entered is the difference from earlier
    entries: nothing when a run is repeated, and the corrections after a change of the rules. -#}
{%- macro record_rules(source, of_batches, counted) -%}
    {%- set broken = {} -%}
    {%- for row in counted if row['place'] in ['quarantined', 'unreadable', 'discarded'] or row['reason'] == 'contradiction' -%}
        {%- for rule in row['reason'].split(', ') -%}
            {%- set key = (row['batch_id'], rule, 'warn' if rule == 'contradiction' else 'quarantine') -%}
            {%- do broken.update({key: broken.get(key, 0) + row['record_count']}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do broken.update(_warnings(source, of_batches)) -%}
    {%- do name_table(rule_results()) -%}
    {%- for row in run_query(
        'select batch_id, rule, severity, sum(record_count) as record_count from ' ~ rule_results() ~ " where source = '" ~ source
        ~ "' and " ~ of_batches ~ ' group by batch_id, rule, severity'
    ).rows -%}
        {%- set key = (row['batch_id'], row['rule'], row['severity']) -%}
        {%- do broken.update({key: broken.get(key, 0) - row['record_count']}) -%}
    {%- endfor -%}
    {%- set entries = [] -%}
    {%- for (batch_id, rule, severity), record_count in broken.items() if record_count -%}
        {%- do entries.append('(' ~ [batch_id, sql_literal(rule), "'" ~ severity ~ "'", record_count] | join(', ') ~ ')') -%}
        {%- if severity == 'warn' and record_count > 0 -%}
            {%- do exceptions.warn('Source ' ~ source ~ ', batch ' ~ batch_id ~ ': ' ~ record_count ~ ' records ' ~ (
                'have the key and the version of another record and other content. One of them is kept, the same whatever the order of arrival; '
                ~ 'the producer should give each change a version of its own.' if rule == 'contradiction' else 'break ' ~ rule ~ ', which only warns.'
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if entries -%}
        {%- call statement('record_rules') -%}
            insert into {{ rule_results() }}
            select
                '{{ source }}', cast(batch_id as bigint), rule, severity, cast(record_count as bigint), '{{ invocation_id }}',
                current_timestamp()
            from values {{ entries | join(', ') }} as counted(batch_id, rule, severity, record_count)
        {%- endcall -%}
    {%- endif -%}
{%- endmacro -%}

{#- Records are judged for rules that only warn, if there are any, by the columns of the judged model. -#}
{%- macro _warnings(source, of_batches) -%}
    {%- set broken = {} -%}
    {%- set rules = declared_rules(node_of_source('judged', source), 'warn') -%}
    {%- if rules -%}
        {%- set counts = [] -%}
        {%- for condition in rules.values() -%}{%- do counts.append('count_if(not coalesce(' ~ condition ~ ', false))') -%}{%- endfor -%}
        {%- for row in run_query(
            'with ' ~ judged_ctes(source) ~ ' select batch_id, ' ~ counts | join(', ') ~ ' from judged_records'
            ~ ' where unreadable_reason is null and ' ~ of_batches ~ ' group by batch_id'
        ).rows -%}
            {%- for rule in rules -%}
                {%- do broken.update({(row[0], rule, 'warn'): row[loop.index]}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(broken) -}}
{%- endmacro -%}
