{#- A SELECT of what today's rules make of the records of a source: how many of those that broke `old_rules` break `new_rules` now;
    either is empty where they broke or break none. Records that neither broke nor break a rule are left out. Takes the model as it
    stands in the database; medallion quarantine replay brings that up to date. -#}
{%- macro judged_again(source) -%}
    select
        array_join(waiting.violated_rules, ', ') as old_rules,
        array_join(judged.violated_rules, ', ') as new_rules,
        count(*) as record_count
    from {{ ref('judged_' ~ source) }} as judged
    left join {{ ref('quarantine_' ~ source) }} as waiting
        on judged.batch_id = waiting.batch_id
        and judged.source_file = waiting.source_file
        and judged.record_number = waiting.record_number
    where waiting.batch_id is not null or size(judged.violated_rules) > 0
    group by waiting.violated_rules, judged.violated_rules
{%- endmacro -%}
