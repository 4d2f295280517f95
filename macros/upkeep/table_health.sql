{#- A SELECT with one row a table, in the order of the layers: dbt show --inline "{{ table_health() }}" --limit -1
    Files and versions are literals, asked of Delta while this is rendered; Delta answers the counts from its statistics. -#}
{%- macro table_health(layer=none, table=none) %}
    select layer, table_name, row_count, file_count, size_bytes, version, last_written_at
    from (
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set detail = describe_table(entry.relation) -%}
        {%- set newest = commits_of(entry.relation)[0] %}
        select
            '{{ entry.layer }}' as layer,
            '{{ entry.name }}' as table_name,
            (select count(*) from {{ entry.relation }}) as row_count,
            {{ detail.num_files }} as file_count,
            cast({{ detail.size_in_bytes }} as bigint) as size_bytes,
            {{ newest.version }} as version,
            timestamp '{{ newest.committed_at }}' as last_written_at,
            {{ loop.index }} as position
        {{ 'union all' if not loop.last }}
    {%- else %}
        select
            '' as layer,
            '' as table_name,
            0 as row_count,
            0 as file_count,
            0 as size_bytes,
            0 as version,
            current_timestamp() as last_written_at,
            0 as position
        where false
    {%- endfor %}
    ) as tables
    order by position
{%- endmacro -%}
