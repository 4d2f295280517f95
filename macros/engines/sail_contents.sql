{#- A view of the contents of some files of a source, whole and unread until it is asked. -#}
{%- macro sail_contents(source, files) -%}
    {%- set contents = make_temp_relation(this, '__contents') -%}
    {%- do run_query(
        'create or replace temporary view ' ~ contents ~ ' using landing_contents options (path '
        ~ sql_literal(source.folder) ~ ', files ' ~ sql_literal(tojson(files | map(attribute='uri') | list)) ~ ')'
    ) -%}
    {{- return(contents) -}}
{%- endmacro -%}
