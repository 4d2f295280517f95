{#- Sail has neither OPTIMIZE nor VACUUM: the command `medallion` reads this line and lets delta-rs do the job. -#}
{%- macro hand_over_to_delta_rs(action, name, relation, job) -%}
    {%- set location = lake_location(relation.schema, relation.identifier) -%}
    {%- do print('delta-rs: ' ~ tojson(dict(job, action=action, name=name, location=location))) -%}
{%- endmacro -%}

{#- Bare dbt would only print the line. -#}
{%- macro _assert_upkeep_possible(hand_over, command) -%}
    {%- if not on_engine('can_optimize') and not hand_over -%}
        {{- exceptions.raise_compiler_error(
            'Sail has no SQL for this. Run medallion ' ~ command ~ ' --target sail: it goes by the same rules, through delta-rs.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
