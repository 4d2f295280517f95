{#- Enters how many records of some batches broke each rule, those that only warn too. What is entered is the difference from what
    stands there: nothing when a run is repeated, and the corrections after a change of the rules. -#}
{%- macro record_rules(source, of_batches, counted) -%}
    {%- set broken = {} -%}
    {%- for row in counted if row['place'] in ['quarantined', 'unreadable', 'discarded'] -%}
        {%- for rule in row['reason'].split(', ') -%}
            {%- set key = (row['batch_id'], rule, 'quarantine') -%}
            {%- do broken.update({key: broken.get(key, 0) + row['record_count']}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do broken.update(_warnings(source, of_batches)) -%}
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
            {%- do exceptions.warn('Source ' ~ source ~ ', batch ' ~ batch_id ~ ': ' ~ record_count ~ ' records break ' ~ rule ~ ', which only warns.') -%}
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

{#- Only where a rule warns are records judged for it, by the columns of the judged view. -#}
{%- macro _warnings(source, of_batches) -%}
    {%- set broken = {} -%}
    {%- set rules = declared_rules(_node_of_source('judged', source), 'warn') -%}
    {%- if rules -%}
        {%- set ctes = [] -%}
        {%- for cte in model.get('extra_ctes', []) -%}{%- do ctes.append(cte.sql) -%}{%- endfor -%}
        {%- set counts = [] -%}
        {%- for condition in rules.values() -%}{%- do counts.append('count_if(not coalesce(' ~ condition ~ ', false))') -%}{%- endfor -%}
        {%- for row in run_query(
            ('with ' ~ ctes | join(', ') if ctes else '') ~ ' select batch_id, ' ~ counts | join(', ') ~ ' from ' ~ _judged_name(source)
            ~ ' where unreadable_reason is null and ' ~ of_batches ~ ' group by batch_id'
        ).rows -%}
            {%- for rule in rules -%}
                {%- do broken.update({(row[0], rule, 'warn'): row[loop.index]}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(broken) -}}
{%- endmacro -%}
