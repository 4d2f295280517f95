{#- Where a Delta table stands: its newest version, and as text that version with the time of its commit, so that the same
    version of a table that was dropped and made anew is told apart. -#}
{%- macro table_position(relation) -%}
    {%- set commit = run_query('describe history ' ~ relation ~ ' limit 1').rows[0] -%}
    {{- return({'version': commit['version'] | int, 'text': position_text(commit)}) -}}
{%- endmacro -%}
