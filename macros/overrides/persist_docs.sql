{#-
    What upstream does: asks for the columns of a table that was written, and hands their descriptions on, to be written one by one.
    Here: on Sail nothing is asked, since it cannot alter comments; dbt's docs show them all the same. Spark: as upstream.
    Can go when: Sail stores comments.
-#}
{%- macro spark__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if engine() == 'spark' and for_columns and config.persist_column_docs() and model.columns -%}
        {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
        {%- do alter_column_comment(relation, validate_doc_columns(relation, model.columns, columns)) -%}
    {%- endif -%}
{%- endmacro -%}
