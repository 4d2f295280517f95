{%- macro rule_results() -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier='rule_results', type='table')) -}}
{%- endmacro -%}
