{#- Brings the CHECK constraints of an existing table to what the contract declares; without a difference nothing is committed.
    NOT NULL is a CHECK as well, since Delta cannot set it for a column of an existing table (delta-io/delta#831).
    Only Spark changes constraints: Sail could add some, but not drop them again. -#}
{%- macro reconcile_constraints(relation, present) -%}
    {%- if not (config.get('contract') or {}).enforced -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set declared = declared_constraints() -%}
    {%- set outdated = [] -%}
    {%- set kept = [] -%}
    {%- for property, condition in present.items() if property.startswith('delta.constraints.') -%}
        {%- set name = property[18:] -%}
        {%- set is_kept = name in declared and _without_blanks(condition) == _without_blanks(declared[name]) -%}
        {%- do (kept if is_kept else outdated).append(name) -%}
    {%- endfor -%}
    {%- if engine() == 'sail' -%}
        {%- if outdated -%}
            {%- do exceptions.warn(
                relation ~ ' still has constraints that its YAML no longer declares: ' ~ outdated | join(', ')
                ~ '. Sail goes by them and cannot drop them; the next build with --target local does.'
            ) -%}
        {%- endif -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set new = {} -%}
    {%- for name, condition in declared.items() if name not in kept -%}
        {%- do new.update({name: condition}) -%}
    {%- endfor -%}
    {%- do assert_constraints(
        relation,
        new,
        'Rows of ' ~ relation ~ ' break constraints that are new in its YAML. Nothing was changed:',
        'Mend the rows, build ' ~ model.name ~ ' with --full-refresh, or take the constraint back.'
    ) -%}
    {%- for name in outdated -%}
        {%- call statement('drop_constraint') -%}
            alter table {{ relation }} drop constraint {{ adapter.quote(name) }}
        {%- endcall -%}
    {%- endfor -%}
    {%- for name, condition in new.items() -%}
        {%- call statement('add_constraint') -%}
            alter table {{ relation }} add constraint {{ adapter.quote(name) }} check ({{ condition }}
            )
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro -%}

{#- For comparison: Delta keeps a condition with other blanks, and without comments. -#}
{%- macro _without_blanks(condition) -%}
    {%- set quoted = "('(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)" -%}
    {{- return(modules.re.sub('(?s)' ~ quoted ~ '|--[^\n]*|/[*].*?[*]/|\\s+', '\\1', condition)) -}}
{%- endmacro -%}
