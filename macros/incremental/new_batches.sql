{#- Predicate for the bronze rows that this model has not consumed yet; without any, the run writes nothing. -#}
{%- macro new_batches(bronze) -%}
    {%- if not is_building() -%}
        {{- return('true') -}}
    {%- endif -%}
    {%- set newest = run_query('select coalesce(max(batch_id), 0) as batch_id from ' ~ bronze).rows[0][0] | int -%}
    {%- set seen = consumed_positions(this).get(bronze.identifier, 0) | int if is_incremental() else 0 -%}
    {%- set plan = {'since': seen, 'consumed': {bronze.identifier: newest}, 'skip': is_incremental() and seen >= newest} -%}
    batch_id > {{ seen }} and batch_id <= {{ newest }} {{ write_plan(plan) }}
{%- endmacro -%}
