{%- macro table_version(relation) -%}
    {{- return(run_query('describe history ' ~ relation ~ ' limit 1').rows[0]['version'] | int) -}}
{%- endmacro -%}
