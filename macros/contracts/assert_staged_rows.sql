{#- Checks the rows that a run is about to write against the constraints of its contract, before anything is written. On both
    engines: Delta itself would refuse them as well, but tells no count, and Sail's MERGE does not ask (docs/engines.md). -#}
{%- macro assert_staged_rows(staged) -%}
    {%- set constraints = declared_constraints() -%}
    {%- if constraints -%}
        {#- Read twice, by the check and by the write, but computed once. -#}
        {%- do _cache(staged) -%}
        {%- do assert_constraints(
            staged,
            constraints,
            'Rows that ' ~ this ~ ' was about to receive break its contract. Nothing was written:',
            'Mend the query or what it reads, or change the constraint in the YAML of ' ~ model.name ~ '.'
        ) -%}
    {%- endif -%}
{%- endmacro -%}
