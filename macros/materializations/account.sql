{#- Accounts for the records that this run has taken in: new files in the file ledger, records of silver and quarantine in the row ledger. A lost
    or doubled record stops the build here, before anything is built on it. -#}
{%- macro account_for(plan) -%}
    {%- if plan.files -%}
        {%- do record_files(plan.table, plan.source, plan.batch_id, plan.files) -%}
    {%- elif config.get('ledger') -%}
        {%- do balance_rows(plan) -%}
    {%- endif -%}
{%- endmacro -%}

{#- Records how far the table has read its inputs, and what it was made from. Comes last: the rows must be there and accounted for. -#}
{%- macro mark_consumed(plan) -%}
    {%- if not plan.is_marked -%}{%- do set_properties(plan.table, _marks(plan)) -%}{%- endif -%}
    {%- do run_memory('consumed').update({plan.table.identifier: plan.consumed}) -%}
{%- endmacro -%}

{%- macro _marks(plan) -%}
    {%- set marks = {} -%}
    {%- for input, position in plan.consumed.items() -%}
        {%- do marks.update({'medallion.consumed.' ~ input: position}) -%}
    {%- endfor -%}
    {%- if plan.consumed -%}{%- do marks.update({'medallion.made_by': plan.made_by}) -%}{%- endif -%}
    {{- return(marks) -}}
{%- endmacro -%}
