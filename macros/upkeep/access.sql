{#- A SELECT of who may read each table that exists: `readers` as the config `grants` names them, narrowest first, and the folder of the table in
    a lake of this machine. The tables of ops say it in their meta. -#}
{%- macro table_access(layer=none, table=none) %}
    {%- for entry in (project_tables(layer, table) if execute else []) %}
        {%- set grants = entry.config.get('grants') or entry.config.get('meta', {}).get('grants', {}) %}
    select
        '{{ entry.layer }}' as layer,
        '{{ entry.name }}' as table_name,
        {{ sql_literal(grants.get('select', []) | join(', ')) }} as readers,
        {{ sql_literal(lake_location(entry.relation.schema, entry.name)) if lake_is_local() else 'cast(null as string)' }} as location
    {{ 'union all' if not loop.last }}
    {%- else %}
    select '' as layer, '' as table_name, '' as readers, '' as location where false
    {%- endfor %}
{%- endmacro -%}

{#- A SELECT of the columns of tables that exist whose YAML says that they are personal: their kind, what readers of the table see, and why. -#}
{%- macro personal_columns(layer=none, table=none) %}
    {%- set rows = [] -%}
    {%- for entry in (project_tables(layer, table) if execute else []) -%}
        {%- for column in entry.columns.values() if column.config.meta.get('pii', 'none') != 'none' -%}
            {%- set meta = column.config.meta -%}
            {%- set clear = meta.get('clear') or {} -%}
            {%- do rows.append('(' ~ [
                sql_literal(entry.layer), sql_literal(entry.name), sql_literal(column.name), sql_literal(meta.pii),
                sql_literal('masked: ' ~ meta.mask if meta.mask else 'clear'),
                sql_literal(clear.owner ~ ': ' ~ clear.reason if clear else ''),
            ] | join(', ') ~ ')') -%}
        {%- endfor -%}
    {%- endfor %}
    select layer, table_name, column_name, pii, seen, because
    from values {{ rows | join(', ') or "('', '', '', '', '', '')" }} as columns (layer, table_name, column_name, pii, seen, because)
    where {{ 'true' if rows else 'false' }}
{%- endmacro -%}

{#- A SELECT of the text columns without a declaration in which values of a sample look personal: an e-mail address, or a phone number with its
    country. -#}
{%- macro undeclared_persons(rows, layer=none, table=none) %}
    {%- set parts = [] -%}
    {%- for entry in (project_tables(layer, table) if execute else []) -%}
        {%- set values = [] -%}
        {%- for column in entry.columns.values() if column.data_type == 'string' and not column.config.meta.get('pii') -%}
            {%- do values.append('struct(' ~ sql_literal(column.name) ~ ' as column_name, ' ~ adapter.quote(column.name) ~ ' as value)') -%}
        {%- endfor -%}
        {%- if values -%}
            {%- do parts.append(
                'select ' ~ sql_literal(entry.layer) ~ ' as layer, ' ~ sql_literal(entry.name) ~ ' as table_name, '
                ~ 'explode(array(' ~ values | join(', ') ~ ')) as found from (select * from ' ~ by_place(entry.relation) ~ ' limit ' ~ rows ~ ')'
            ) -%}
        {%- endif -%}
    {%- endfor %}
    select layer, table_name, found.column_name, count(*) as value_count
    from ({{ parts | join(' union all ') or "select '' as layer, '' as table_name, struct('' as column_name, '' as value) as found" }})
    where found.value rlike '[^@ ]+@[^@ ]+[.][A-Za-z][A-Za-z]|^[+][0-9][0-9 ()/-]{6,}$'
    group by 1, 2, 3
{%- endmacro -%}
