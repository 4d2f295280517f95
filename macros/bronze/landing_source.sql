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
        {%- set required = [] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append(sql_literal(column.name)) -%}
            {%- if not column.config.meta.get('is_optional', false) -%}{%- do required.append(sql_literal(column.name)) -%}{%- endif -%}
        {%- endfor -%}
        {%- set path = meta.get('path', node.name).strip('/') -%}
        {{- return({
            'name': node.name,
            'format': meta['format'],
            'path': path,
            'folder': landing_root() ~ '/' ~ path,
            'options': _reader_options(node.name, meta),
            'encodings': _encodings(node.name, meta),
            'max_columns': meta.get('max_columns', 100),
            'when_changed': meta.get('when_changed', 'fail'),
            'columns': columns,
            'required': required,
        }) -}}
    {%- endfor -%}
    {{- exceptions.raise_compiler_error(relation ~ " is not declared as a source in models/landing.yml.") -}}
{%- endmacro -%}

{#- The options of a CSV source, with defaults. -#}
{%- macro _reader_options(source_name, meta) -%}
    {%- set declared = meta.get('options') or {} -%}
    {%- set known = ['sep', 'quote', 'escape', 'encoding'] if meta['format'] == 'csv' else [] -%}
    {%- set options = {} -%}
    {%- for name, value in declared.items() -%}
        {%- if name not in known or (name != 'encoding' and (value is not string or not value or (name != 'sep' and value | length > 1))) -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": the option " ~ name ~ " = '" ~ value ~ "' cannot be used. A CSV source can declare sep and encoding, and"
                ~ " quote and escape of one character; a JSON source no option. Correct meta.options in models/landing.yml."
            ) -}}
        {%- elif name == 'sep' and value | length > 1 and not on_engine('takes_long_separators') -%}
            {{- exceptions.raise_compiler_error(
                "Source " ~ source_name ~ ": Sail reads a separator of one character, not '" ~ value ~ "'. Build this source on Spark: --target local."
            ) -}}
        {%- elif name != 'encoding' -%}
            {%- do options.update({name: value}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if meta['format'] == 'json' -%}
        {{- return({}) -}}
    {%- endif -%}
    {%- set quote = options.get('quote', '"') -%}
    {{- return(dict({'sep': ',', 'quote': quote, 'escape': quote}, **options)) -}}
{%- endmacro -%}

{#- The encodings that the files of a source may have, in the order in which they are tried. -#}
{%- macro _encodings(source_name, meta) -%}
    {%- set declared = (meta.get('options') or {}).get('encoding', 'utf-8') -%}
    {%- set encodings = [] -%}
    {%- for encoding in ([declared] if declared is string else declared) -%}
        {%- do encodings.append(encoding | string | lower | replace('_', '-')) -%}
    {%- endfor -%}
    {%- set unknown = encodings | reject('in', ['utf-8', 'windows-1252', 'iso-8859-1']) | list -%}
    {%- if unknown or not encodings -%}
        {{- exceptions.raise_compiler_error(
            "Source " ~ source_name ~ ": the encoding '" ~ unknown | join(', ') ~ "' is not known. Declare utf-8, windows-1252, iso-8859-1 or a list of them,"
            ~ " which are tried in that order for each file, in meta.options of models/landing.yml."
        ) -}}
    {%- endif -%}
    {{- return(encodings) -}}
{%- endmacro -%}
