{%- macro batch_fields() -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier='batch_fields', type='table')) -}}
{%- endmacro -%}
