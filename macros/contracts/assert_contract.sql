{#- Checks what a run is about to write against the contract, before anything is written, on every run: names and types of the columns, then the
    rows against the constraints. On both engines: Delta itself would refuse such rows as well, but gives no count, and Sail's MERGE does not
    ask (docs/engines.md). -#}
{%- macro assert_contract(query, columns) -%}
    {%- if (config.get('contract') or {}).enforced -%}
        {%- set found = [] -%}
        {%- for column in columns -%}{%- do found.append((column.name, column.dtype | lower)) -%}{%- endfor -%}
        {%- set declared = [] -%}
        {%- for column in model.columns.values() -%}{%- do declared.append((column.name, (column.data_type or '') | lower | replace(' ', ''))) -%}{%- endfor -%}
        {#- equal texts are equal types; what differs dbt itself compares, and words -#}
        {%- if found | sort != declared | sort -%}
            {%- do get_assert_columns_equivalent('select * from ' ~ query ~ ' as staged') -%}
        {%- endif -%}
        {%- do assert_constraints(
            query,
            declared_constraints(),
            'Rows that ' ~ this ~ ' was about to receive break its contract. Nothing was written:',
            'Correct the query or what it reads, or change the constraint in the YAML of ' ~ model.name ~ '.'
        ) -%}
    {%- endif -%}
{%- endmacro -%}
