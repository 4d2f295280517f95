{#- Stops where more of a batch broke a rule than `fail_above` of the judged model allows: `any` stands for all rules together. -#}
{%- macro assert_few_refused(relation, source, batches, by_batch) -%}
    {%- set judged = _node_of_source('judged', source) -%}
    {%- for rule, share in judged.config.meta.get('fail_above', {}).items() -%}
        {%- if rule != 'any' and rule not in declared_rules(judged) -%}
            {{- exceptions.raise_compiler_error('judged_' ~ source ~ ": fail_above names '" ~ rule ~ "', which is none of its rules that put a record into quarantine.") -}}
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
                    ~ source ~ '; mend the rule and replay, give the records up (medallion quarantine discard), or raise fail_above, and '
                    ~ 'build again.'
                ) -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro -%}
