{#- There is no RETAIN: Delta ignores it and goes by the table's property delta.deletedFileRetentionDuration. -#}
{%- macro vacuum_sql(relation, lite=false, dry_run=true) -%}
    vacuum {{ relation }}{{ ' lite' if lite }}{{ ' dry run' if dry_run }}
{%- endmacro -%}
