{#- Creates or replaces a table, without rows, for what a staged view gives; every column may be NULL. -#}
{%- macro create_empty_table(relation, staged) -%}
    {%- call statement('create_empty_table') -%}
        create or replace table {{ relation }}
        {%- if engine() == 'sail' %} (
            {%- for column in adapter.get_columns_in_relation(staged) %}
            {{ column.quoted }} {{ column.dtype }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        {%- endif %}
        {{ file_format_clause() }}
        {{ partition_cols(label='partitioned by') }}
        {{ clustered_cols(label='clustered by') }}
        {{ location_clause() }}
        {{ comment_clause() }}
        {%- if engine() == 'spark' %}
        as
        select * from {{ staged }} where false
        {%- endif %}
    {%- endcall -%}
{%- endmacro -%}
