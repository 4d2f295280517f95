{#- The port to everything that differs between the engines. A verb is a macro `<engine>__<verb>` in macros/engines/<engine>/; all other macros
    call it by name and don't know the engine: on_engine('listing', source). -#}
{%- macro on_engine(verb) -%}
    {{- return(context[engine() ~ '__' ~ verb](*varargs, **kwargs)) -}}
{%- endmacro -%}

{#- The engine of the target: 'sail' if its host in profiles.yml is sail, otherwise 'spark'. -#}
{%- macro engine() -%}
    {{- return('sail' if target.host == 'sail' else 'spark') -}}
{%- endmacro -%}

{#- '$' is escaped too, because Spark substitutes ${...} even inside literals. -#}
{%- macro sql_literal(value) -%}
    {{- return("'" ~ (value | string | replace('\\', '\\\\') | replace("'", "\\'") | replace('$', '\\u0024')) ~ "'") -}}
{%- endmacro -%}

{#- A model's tblproperties plus some of the project's own. Booleans in lower case, because delta-rs treats `True` as unset. -#}
{%- macro properties_clause(more=none) -%}
    {%- set properties = [] -%}
    {%- for name, value in dict(config.get('tblproperties') or {}, **(more or {})).items() if value is not none -%}
        {%- set text = value | string | lower if value is boolean else value | string -%}
        {%- do properties.append(sql_literal(name) ~ ' = ' ~ sql_literal(text)) -%}
    {%- endfor -%}
    {%- if properties -%}
    tblproperties ({{ properties | join(', ') }})
    {%- endif -%}
{%- endmacro -%}

{#- dbt prefers an adapter's own materializations to a project's; those of dbt-databricks would write without this project's marks, ledger
    and contract. -#}
{%- macro assert_adapter() -%}
    {%- if target.type != 'spark' -%}
        {{- exceptions.raise_compiler_error(
            'Target ' ~ target.name ~ ' is of type ' ~ target.type ~ ', and nothing was written: that adapter writes tables by its own rules '
            ~ 'instead of those of this project. Use a target of type spark; docs/engines.md says which there are.'
        ) -}}
    {%- endif -%}
{%- endmacro -%}
