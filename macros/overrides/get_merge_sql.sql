{#-
    What upstream does: joins on `=`, so that a NULL key is inserted again on every run; updates every matched row, so that
    a run without any change rewrites whole files; has no condition that keeps an older record from overwriting a newer one.
    Here: keys compare with `<=>`, and a matched row is updated only by a newer one: the config `newest_by` lists the columns that
    say which is. Without them, matched rows stay as they are.
    Can go when: dbt-spark has matched_condition and null-safe keys (dbt-databricks has both: databricks/dbt-databricks#590).
-#}
{%- macro spark__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set keys = [unique_key] if unique_key is string else unique_key -%}
    {%- set conditions = [] + (incremental_predicates or []) -%}
    {%- for key in keys -%}
        {%- do conditions.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' <=> DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
    {%- set columns = adapter.get_columns_in_relation(target) | map(attribute='quoted') | list -%}
    merge into {{ target }} as DBT_INTERNAL_DEST
    using {{ source }} as DBT_INTERNAL_SOURCE
    on {{ conditions | join(' and ') }}
    {%- if config.get('newest_by') %}
    when matched and {{ is_newer('DBT_INTERNAL_SOURCE', 'DBT_INTERNAL_DEST') }} then update set
        {%- for column in columns if column.strip('`') not in (config.get('merge_exclude_columns') or []) %}
        {{ column }} = DBT_INTERNAL_SOURCE.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    {%- endif %}
    when not matched then insert ({{ columns | join(', ') }})
        values (DBT_INTERNAL_SOURCE.{{ columns | join(', DBT_INTERNAL_SOURCE.') }})
{%- endmacro -%}
