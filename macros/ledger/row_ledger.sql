{%- macro row_ledger() -%}
    {{- return(api.Relation.create(schema=var('schema_prefix') ~ 'ops', identifier='row_ledger', type='table')) -}}
{%- endmacro -%}
