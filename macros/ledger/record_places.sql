{#- Enters where records of a source went into the row ledger. -#}
{%- macro record_places(source, places) -%}
    {%- if not places -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set entries = [] -%}
    {%- for row in places -%}
        {%- do entries.append(
            '(' ~ row['batch_id'] ~ ', ' ~ sql_literal(row['place']) ~ ', '
            ~ (sql_literal(row['reason']) if row['reason'] else 'cast(null as string)') ~ ', ' ~ row['record_count'] ~ ')'
        ) -%}
    {%- endfor -%}
    {%- call statement('record_places') -%}
        insert into {{ row_ledger() }}
        select
            '{{ source }}', cast(batch_id as bigint), place, reason, cast(record_count as bigint), '{{ invocation_id }}',
            current_timestamp()
        from values {{ entries | join(', ') }} as counted(batch_id, place, reason, record_count)
    {%- endcall -%}
{%- endmacro -%}
