{#- Names and types of what a run is about to write against the contract, before anything is computed, on every run. -#}
{%- macro assert_columns(query, columns) -%}
    {%- if (config.get('contract') or {}).enforced -%}
        {%- set found = [] -%}
        {%- for column in columns -%}{%- do found.append((column.name, column.dtype | lower)) -%}{%- endfor -%}
        {%- set declared = [] -%}
        {%- for column in model.columns.values() -%}{%- do declared.append((column.name, (column.data_type or '') | lower | replace(' ', ''))) -%}{%- endfor -%}
        {#- equal texts are equal types; differences are compared, and reported, by dbt itself -#}
        {%- if found | sort != declared | sort -%}
            {%- do get_assert_columns_equivalent(query) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{#- Rows against the constraints of the contract, before they are written, on every run. On both engines: Delta itself would refuse such rows
    too, but without a count, and Sail's MERGE does not check (docs/engines.md). -#}
{%- macro assert_rows(rows, staged) -%}
    {%- do assert_constraints(
        rows,
        declared_constraints(),
        'Rows that ' ~ this ~ ' was about to receive break its contract. Nothing was written:',
        'Correct the query or what it reads, or change the constraint in the YAML of ' ~ model.name ~ '.',
        staged
    ) -%}
{%- endmacro -%}

{#- What the model that is being built promises for each of its rows: a dict of conditions by name, from the constraints not_null and
    check of its YAML. They are part of the contract, so without a contract there are none. -#}
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
                model.name ~ ": a constraint " ~ constraint.type ~ " cannot be enforced here, only not_null and check with an expression. "
                ~ "For anything else write a data test, for instance unique."
            ) -}}
        {%- endif -%}
    {%- endfor -%}
    {{- return(declared) -}}
{%- endmacro -%}

{#- Delta keeps names in lower case, and puts blanks between the words of a condition, which turns 'it''s' into two literals. -#}
{%- macro _declare(declared, name, condition) -%}
    {%- if name | lower in declared -%}
        {{- exceptions.raise_compiler_error(model.name ~ ": two constraints are named " ~ name | lower ~ "; give each a name of its own.") -}}
    {%- endif -%}
    {%- for literal in modules.re.findall("'(?:[^'\\\\]|\\\\.|'')*'", condition) if "''" in literal[1:-1] -%}
        {{- exceptions.raise_compiler_error(model.name ~ ", constraint " ~ name ~ ": write a quote within " ~ literal ~ " as \\'.") -}}
    {%- endfor -%}
    {%- do declared.update({name | lower: condition}) -%}
{%- endmacro -%}

{#- Counts the rows of a table or view that break each constraint, in one query, and raises an error with the counts if there are any.
    A condition that is NULL is broken, as in Delta. -#}
{%- macro assert_constraints(relation, constraints, refusal, advice, staged=none) -%}
    {%- if not constraints -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set counts = [] -%}
    {%- for condition in constraints.values() -%}
        {#- The line end closes a comment in the condition. -#}
        {%- do counts.append('count_if(not coalesce((' ~ condition ~ '\n), false)) as broken_' ~ loop.index) -%}
    {%- endfor -%}
    {%- set broken = run_query('select ' ~ counts | join(', ') ~ ' from ' ~ relation).rows[0] -%}
    {%- set found = [] -%}
    {%- for name, condition in constraints.items() -%}
        {%- set count = broken[loop.index0] | int -%}
        {%- if count -%}
            {%- do found.append('  ' ~ name ~ ', ' ~ condition ~ ': ' ~ count ~ (' row' if count == 1 else ' rows')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found -%}
        {%- if staged -%}{%- do on_engine('drop_staged', staged) -%}{%- endif -%}
        {{- exceptions.raise_compiler_error(refusal ~ '\n' ~ found | join('\n') ~ '\n' ~ advice) -}}
    {%- endif -%}
{%- endmacro -%}

{#- Makes the CHECK constraints of an existing table match the contract; without a difference nothing is committed.
    NOT NULL is a CHECK as well, since Delta cannot set it for a column of an existing table (delta-io/delta#831).
    Only Spark changes them. -#}
{%- macro keep_constraints(relation, present) -%}
    {%- if not (config.get('contract') or {}).enforced -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set declared = declared_constraints() -%}
    {%- set outdated = [] -%}
    {%- set kept = [] -%}
    {%- for property, condition in present.items() if property.startswith('delta.constraints.') -%}
        {%- set name = property[18:] -%}
        {%- set is_kept = name in declared and without_blanks(condition) == without_blanks(declared[name]) -%}
        {%- do (kept if is_kept else outdated).append(name) -%}
    {%- endfor -%}
    {%- set new = {} -%}
    {%- for name, condition in declared.items() if name not in kept -%}
        {%- do new.update({name: condition}) -%}
    {%- endfor -%}
    {%- set new = new if on_engine('can_alter') else {} -%}
    {%- do assert_constraints(
        relation,
        new,
        'Rows of ' ~ relation ~ ' break constraints that are new in its YAML. Nothing was changed:',
        'Correct the rows, build ' ~ model.name ~ ' with --full-refresh, or remove the constraint.'
    ) -%}
    {%- if outdated or new -%}
        {%- do name_table(relation) -%}
        {%- do on_engine('change_constraints', relation, outdated, new) -%}
    {%- endif -%}
{%- endmacro -%}
