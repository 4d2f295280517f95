{#- What YAML declares of a source, with defaults, as one mapping. -#}
{%- macro landing_source(relation) -%}
    {%- for node in graph.sources.values() if node.identifier == relation.identifier and node.schema == relation.schema -%}
        {%- set meta = node.config.meta or node.meta -%}
        {%- if meta.get('format') not in ['json', 'csv'] -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.format is '" ~ meta.get('format') ~ "'; declare json (JSON lines) or csv."
            ) -}}
        {%- endif -%}
        {%- if meta.get('when_changed', 'fail') not in ['fail', 'ignore', 'new_version'] -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ node.name ~ ": meta.when_changed is '" ~ meta['when_changed'] ~ "'; declare fail, ignore or new_version."
            ) -}}
        {%- endif -%}
        {%- set columns = [] -%}
        {%- for column in node.columns -%}{%- do columns.append(sql_literal(column)) -%}{%- endfor -%}
        {{- return({
            'name': node.name,
            'format': meta['format'],
            'folder': landing_root() ~ '/' ~ meta.get('path', node.name),
            'options': meta.get('options', {}),
            'max_columns': meta.get('max_columns', 100),
            'when_changed': meta.get('when_changed', 'fail'),
            'columns': columns,
        }) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(relation ~ " is not declared as a source in models/landing.yml.") -}}
{%- endmacro -%}
