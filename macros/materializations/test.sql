{#- dbt's own test, unless neither it nor a table that it reads has changed since it last ran: then it has that result again, without a query.
    Failures are not repeated from memory. `--vars 'run_all_tests: true'` runs all. -#}
{%- materialization test, adapter='spark' -%}
    {%- set known = result_of_unchanged_test(sql) -%}
    {%- if known -%}
        {%- do store_raw_result('main', 'UNCHANGED', 'UNCHANGED', 0, known) -%}
        {{- return({'relations': []}) -}}
    {%- endif -%}
    {#- the catalog of this session may not know them yet -#}
    {%- for input in inputs_of(model) -%}{%- do name_table(relation_of(input)) -%}{%- endfor -%}
    {{- return(dbt.materialization_test_default()) -}}
{%- endmaterialization -%}
