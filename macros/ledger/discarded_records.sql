{%- macro discarded_records() -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier='discarded_records', type='table')) -}}
{%- endmacro -%}
