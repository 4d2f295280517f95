{#- dbt's own test, on tables that the catalog of this session may not know yet. -#}
{%- materialization test, adapter='spark' -%}
    {%- for input in inputs_of(model) -%}{%- do name_table(relation_of(input)) -%}{%- endfor -%}
    {{- return(dbt.materialization_test_default()) -}}
{%- endmaterialization -%}
