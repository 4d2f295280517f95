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
            'options': _reader_options(node.name, meta),
            'max_columns': meta.get('max_columns', 100),
            'when_changed': meta.get('when_changed', 'fail'),
            'columns': columns,
        }) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(relation ~ " is not declared as a source in models/landing.yml.") -}}
{%- endmacro -%}

{#- The options of a source, with defaults; only those with which the record, its values and its number come out as promised: of the
    others one would drop records (mode), take the first for a header (header) or hide files (pathGlobFilter), without a word. -#}
{%- macro _reader_options(source_name, meta) -%}
    {%- set declared = meta.get('options') or {} -%}
    {%- set known = ['sep', 'quote', 'escape', 'encoding'] if meta['format'] == 'csv' else [] -%}
    {%- for name, value in declared.items() if name not in known or value is not string or not value or (name in ['quote', 'escape'] and value | length > 1) -%}
        {{- exceptions.raise_compiler_error(
            "Source " ~ source_name ~ ": the option " ~ name ~ " = '" ~ value ~ "' cannot be used. A CSV source can declare sep and encoding, and"
            ~ " quote and escape of one character; a JSON source no option. Correct meta.options in models/landing.yml."
        ) -}}
    {%- endfor -%}
    {%- if meta['format'] == 'json' -%}
        {{- return({}) -}}
    {%- endif -%}
    {%- set quote = declared.get('quote', '"') -%}
    {{- return(dict({'sep': ',', 'quote': quote, 'escape': quote}, **declared)) -}}
{%- endmacro -%}
