{#- Counts, in one query, the rows of a table or view that break each constraint; any are an error with the counts.
    A condition that is NULL is broken, as Delta sees it too. -#}
{%- macro assert_constraints(relation, constraints, refusal, advice) -%}
    {%- if not constraints -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set counts = [] -%}
    {%- for condition in constraints.values() -%}
        {#- The line end closes a comment in the condition. -#}
        {%- do counts.append('count_if(not coalesce((' ~ condition ~ '\n), false)) as broken_' ~ loop.index) -%}
    {%- endfor -%}
    {%- set broken = run_query('select ' ~ counts | join(', ') ~ ' from ' ~ relation).rows[0] -%}
    {%- set found = [] -%}
    {%- for name, condition in constraints.items() -%}
        {%- set count = broken[loop.index0] | int -%}
        {%- if count -%}
            {%- do found.append('  ' ~ name ~ ', ' ~ condition ~ ': ' ~ count ~ (' row' if count == 1 else ' rows')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found -%}
        {{- exceptions.raise_compiler_error(refusal ~ '\n' ~ found | join('\n') ~ '\n' ~ advice) -}}
    {%- endif -%}
{%- endmacro -%}
