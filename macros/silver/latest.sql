{#- One row a key, the newest: by the model's own config unless said otherwise, so that a MERGE and a batch go by the same order. Of
    equal records the first by file and number stays. -#}
{%- macro latest(relation, unique_key=none, newest_by=none) -%}
    {%- set order_by = [] -%}
    {%- for column in newest_by or config.get('newest_by') or [] -%}{%- do order_by.append(column ~ ' desc') -%}{%- endfor -%}
    {{- deduplicate(relation, unique_key or config.get('unique_key'), order_by + ['source_file', 'record_number']) -}}
{%- endmacro -%}
