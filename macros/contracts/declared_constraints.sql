{#- What the model that is being built promises of each of its rows: a dict of conditions by name, from the constraints not_null and
    check of its YAML. They belong to the contract, so there are none without it. -#}
{%- macro declared_constraints() -%}
    {%- set declared = {} -%}
    {%- if not (config.get('contract') or {}).enforced -%}
        {{- return(declared) -}}
    {%- endif -%}
    {%- set constraints = [] + (model.constraints or []) -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints or [] -%}
            {%- do constraints.append(dict(constraint, columns=[column.name])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for constraint in constraints -%}
        {%- if constraint.type == 'not_null' -%}
            {%- for column in constraint.columns -%}
                {%- do _declare(declared, column ~ '_not_null', adapter.quote(column) ~ ' is not null') -%}
            {%- endfor -%}
        {%- elif constraint.type == 'check' and constraint.expression -%}
            {%- do _declare(declared, constraint.name or 'check_' ~ local_md5(constraint.expression)[:8], constraint.expression) -%}
        {%- else -%}
            {{- exceptions.raise_compiler_error(
                model.name ~ ": a constraint " ~ constraint.type ~ " cannot be held here, only not_null and check with an expression. "
                ~ "For anything else write a data test, for instance unique."
            ) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return(declared) -}}
{%- endmacro -%}

{#- Delta keeps names in lower case, and puts blanks between the words of a condition: of 'it''s' it makes two literals. -#}
{%- macro _declare(declared, name, condition) -%}
    {%- if name | lower in declared -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": two constraints are named " ~ name | lower ~ "; give each a name of its own.") -}}
    {%- endif -%}
    {%- for literal in modules.re.findall("'(?:[^'\\\\]|\\\\.|'')*'", condition) if "''" in literal[1:-1] -%}
        {{- exceptions.raise_compiler_error(model.name ~ ", constraint " ~ name ~ ": write a quote within " ~ literal ~ " as \\'.") -}}
    {%- endfor -%}
    {%- do declared.update({name | lower: condition}) -%}
{%- endmacro -%}
