{#- A personal column as readers of gold see it; NULL stays NULL. `hash`: the same text for the same value, in all tables of this lake, so joins
    work; without the secret of the lake nobody can try out values. `partial`: the first character, and the domain of an e-mail address.
    `null`: nothing. -#}
{%- macro mask(column, how) -%}
    {%- if how == 'hash' -%}
        sha2(concat((select min(secret) from {{ source('secrets', 'mask_secrets') }}), cast(cast({{ column }} as string) as binary)), 256)
    {%- elif how == 'partial' -%}
        regexp_replace({{ column }}, '(?s)^(.)[^@]*', '$1***')
    {%- elif how == 'null' -%}
        if(false, {{ column }}, null)
    {%- else -%}
        {{- exceptions.raise_compiler_error("No mask '" ~ how ~ "' for " ~ column ~ '; use hash, partial or null.') -}}
    {%- endif -%}
{%- endmacro -%}

{#- For on-run-start: the secret of `hash`, where a model needs it. The engine makes it and keeps it in a table, so no SQL, log or artifact ever
    has it. It is binary, because Delta keeps no statistics of that. A new secret is a changed input: what was hashed is computed again. -#}
{%- macro keep_mask_secret() -%}
    {%- set needed = [] -%}
    {%- for node in (graph.nodes.values() if is_building() else []) -%}
        {%- do needed.extend(node.depends_on.nodes | select('equalto', 'source.medallion.secrets.mask_secrets')) -%}
    {%- endfor -%}
    {%- if needed -%}
        {%- set node = graph.sources[needed[0]] -%}
        {%- set secrets = relation_of(node) -%}
        {%- if load_relation(secrets) is none -%}
            {%- do create_book(node) -%}
        {%- endif -%}
        {%- if not run_query('select 1 from ' ~ by_place(secrets) ~ ' limit 1').rows -%}
            {%- do name_table(secrets) -%}
            {#- uuid() can be computed from a short seed on Spark; the initialization vectors of aes_encrypt cannot -#}
            {%- do run_query(
                'insert into ' ~ secrets ~ " select concat(aes_encrypt('a', 'no secret itself'), aes_encrypt('b', 'no secret itself'), "
                ~ "cast(uuid() as binary)), current_timestamp()"
            ) -%}
            {%- do forget_state(secrets) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- A landed record to show to anybody: its declared fields that hold nothing personal, in the order of models/landing.yml. What else it holds,
    fields that nobody declared included, stays out. Needs the row of bronze as `landed`. -#}
{%- macro masked_record(source) -%}
    {%- set node = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') | selectattr('name', 'equalto', source) | first -%}
    {%- set personal = [] -%}
    {%- for column in node.columns.values() if column.config.meta.get('pii', 'none') != 'none' -%}
        {%- do personal.append(modules.re.split('[.[]', column.name)[0]) -%}
    {%- endfor -%}
    {%- if not personal -%}
        {{- return('landed.record') -}}
    {%- endif -%}
    {%- set shown = [] -%}
    {%- for name in node.columns if not modules.re.search('[.[]', name) and name not in personal -%}
        {%- set value = 'landed.fields[' ~ sql_literal(name) ~ ']' if node.config.meta.format == 'csv'
            else "get_json_object(landed.record, '$." ~ name ~ "')" -%}
        {%- do shown.append('concat(' ~ sql_literal(name ~ ': ') ~ ', ' ~ value ~ ')') -%}
    {%- endfor -%}
    {{- return(
        "case when landed.unreadable_reason is null then concat_ws(', ', " ~ shown | join(', ') ~ ") else "
        ~ "concat('unreadable, ', length(landed.record), ' characters') end"
    ) -}}
{%- endmacro -%}
