{#- A SELECT of what today's rules make of the records that wait in quarantine: how many of those that broke `old_rules` break
    `new_rules` now, none where these are empty. Takes the model as it stands in the database; medallion quarantine replay
    brings that up to date. -#}
{%- macro judged_again(source) -%}
    select
        array_join(waiting.violated_rules, ', ') as old_rules,
        array_join(judged.violated_rules, ', ') as new_rules,
        count(*) as record_count
    from {{ ref('quarantine_' ~ source) }} as waiting
    inner join {{ ref('judged_' ~ source) }} as judged
        on waiting.batch_id = judged.batch_id
        and waiting.source_file = judged.source_file
        and waiting.record_number = judged.record_number
    group by waiting.violated_rules, judged.violated_rules
{%- endmacro -%}
