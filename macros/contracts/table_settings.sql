{#- Makes properties, constraints and column comments of an existing table match its model; without a difference nothing is asked or committed.
    Otherwise a changed retention, for instance, would apply only to tables created after the change. -#}
{%- macro keep_table_settings(relation, is_unchanged=false) -%}
    {#- an unchanged table is not asked for what the reading of the lake did not show -#}
    {%- set properties = (table_state(relation) or {}).properties if is_unchanged else table_properties(relation) -%}
    {%- if properties is not none -%}
        {%- do _keep_properties(relation, properties) -%}
        {%- do keep_constraints(relation, properties) -%}
    {%- endif -%}
{%- endmacro -%}

{#- Properties that the config does not name stay. -#}
{%- macro _keep_properties(relation, present) -%}
    {%- set changed = {} -%}
    {%- for name, value in (config.get('tblproperties') or {}).items() -%}
        {%- set text = value | string | lower if value is boolean else value | string -%}
        {%- if present.get(name) != text -%}{%- do changed.update({name: text}) -%}{%- endif -%}
    {%- endfor -%}
    {%- do set_properties(relation, changed) -%}
    {%- do keep_comments(relation, present) -%}
{%- endmacro -%}

{%- macro keep_comments(relation, present) -%}
    {%- if on_engine('can_alter') and column_comments() and present.get('medallion.documented') != comments_hash() -%}
        {%- do document_columns(relation, adapter.get_columns_in_relation(relation)) -%}
        {%- do set_properties(relation, {'medallion.documented': comments_hash()}) -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro set_properties(relation, properties) -%}
    {%- if properties -%}
        {%- do name_table(relation) -%}
        {%- set literals = [] -%}
        {%- for name, value in properties.items() -%}
            {%- do literals.append(sql_literal(name) ~ ' = ' ~ sql_literal(value)) -%}
        {%- endfor -%}
        {%- call statement('set_properties') -%}
            alter table {{ relation }} set tblproperties ({{ literals | join(', ') }})
        {%- endcall -%}
        {%- do forget_state(relation) -%}
    {%- endif -%}
{%- endmacro -%}

{#- Descriptions of the columns by name, if the model stores them in the table. -#}
{%- macro column_comments() -%}
    {%- set comments = {} -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() if column.description -%}
            {%- do comments.update({column.name: column.description}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(comments) -}}
{%- endmacro -%}

{%- macro comments_hash() -%}
    {{- return(local_md5(tojson(column_comments(), sort_keys=true))) -}}
{%- endmacro -%}

{#- Stores the descriptions of the columns that the table has. -#}
{%- macro document_columns(relation, columns) -%}
    {%- set comments = {} -%}
    {%- for column in columns if column.name in column_comments() -%}
        {%- do comments.update({column.name: column_comments()[column.name]}) -%}
    {%- endfor -%}
    {%- if comments -%}{%- do on_engine('document_columns', relation, comments) -%}{%- endif -%}
{%- endmacro -%}
