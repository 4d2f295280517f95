{#- The rules of a judged model, names and conditions, as its `meta.rules` has them: those whose breach puts a record into
    quarantine, or those that only warn. -#}
{%- macro declared_rules(node, severity='quarantine') -%}
    {%- set conditions = {} -%}
    {%- for name, rule in node.config.meta['rules'].items() -%}
        {%- set told = rule if rule is mapping else {'condition': rule} -%}
        {%- set its = told.get('severity', 'quarantine') -%}
        {%- if its not in ['quarantine', 'warn'] or 'condition' not in told -%}
            {{- exceptions.raise_compiler_error(
                'Rule ' ~ name ~ ' of ' ~ node.name ~ ': write a condition, or {condition: ..., severity: warn}; severity is quarantine or '
                ~ 'warn. What shall stop a build is named in fail_above.'
            ) -}}
        {%- elif its == severity -%}
            {%- do conditions.update({name: told['condition']}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(conditions) -}}
{%- endmacro -%}
