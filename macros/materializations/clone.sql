{#- Refused: a clone would have the tables of some models without the ledgers that say what they have read. -#}
{%- materialization clone, adapter='spark' -%}
    {{- exceptions.raise_compiler_error(
        'dbt clone is refused, and nothing was written: it would copy ' ~ this ~ ' without the ledgers that say what it has read. '
        ~ 'To have a second lake, copy its folder as a whole (MEDALLION_HOME), or build one from the same landing files.'
    ) -}}
{%- endmaterialization -%}
