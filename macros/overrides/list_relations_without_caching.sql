{#-
    What upstream does: takes a relation for a view, or for another format, when the text of `show table extended` holds
    `Type: VIEW` or `Provider: ..` anywhere, and a table's comment is part of that text: an incremental table with such a
    description was rebuilt and lost its history (dbt/adapters/spark/impl.py, _build_spark_relation_list).
    Here: these marks are made harmless in everything that follows the first free text (comment, view text, properties);
    Spark lists type and provider before those.
    Can go when: dbt-spark reads the two fields from their own lines.
-#}
{%- macro spark__list_relations_without_caching(relation) -%}
    {#- The catalog of this machine's engines lives as long as a process. -#}
    {%- if target.host in ['local', 'sail'] -%}
        {%- do run_query('create schema if not exists ' ~ relation.schema) -%}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for row in run_query("show table extended in " ~ relation.schema ~ " like '*'").rows -%}
        {%- do rows.append([row[0], row[1], row[2], _defuse_relation_information(row[3])]) -%}
    {%- endfor -%}
    {#- A lake on this machine may hold tables that the other engine made: they are Delta tables, and dbt reads no more of them here. -#}
    {%- if target.host in ['local', 'sail'] -%}
        {%- for name in register_lake_tables(relation.schema, rows | map(attribute=1) | list) -%}
            {%- do rows.append([relation.schema, name, false, 'Type: EXTERNAL\nProvider: delta\n']) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(rows) -}}
{%- endmacro -%}

{%- macro _defuse_relation_information(information) -%}
    {%- set parts = modules.re.match('(?s)(.*?\nType: .*?)(\n(?:Comment|View Text|Table Properties): .*)$', information) -%}
    {%- if parts is none -%}
        {{- return(information) -}}
    {%- endif -%}
    {{- return(parts.group(1) ~ parts.group(2).replace('Type: ', 'Type:').replace('Provider: ', 'Provider:')) -}}
{%- endmacro -%}
