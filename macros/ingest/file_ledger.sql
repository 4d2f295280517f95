{%- macro file_ledger() -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier='file_ledger', type='table')) -}}
{%- endmacro -%}
