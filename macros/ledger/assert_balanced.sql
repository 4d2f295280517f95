{#- Stops where a silver table holds rows of a batch that its ledger did not balance, or refused: they stay out of what is built on
    it, also when that is selected alone. Else they would be read as they are, and what the next build makes good in the same
    batch would not be told from them. -#}
{%- macro assert_balanced(relation) -%}
    {%- set ledger = (node_of(relation) or {'config': {}}).config.get('ledger') -%}
    {%- set balanced = run_memory('balanced') -%}
    {%- if ledger and relation.identifier not in balanced -%}
        {%- set held = run_query('select coalesce(max(batch_id), 0) from ' ~ by_place(relation)).rows[0][0] | int -%}
        {%- set known = consumed_positions(relation).get('bronze_' ~ ledger['source'], 0) | int -%}
        {%- if held > known -%}
            {{- exceptions.raise_compiler_error(
                relation ~ ' holds batch ' ~ held ~ ', which its row ledger has not balanced, because the build of it failed or has not ended. '
                ~ 'Nothing was built on it; build it first, for instance with --select +' ~ model.name ~ '.'
            ) -}}
        {%- endif -%}
        {%- do balanced.update({relation.identifier: true}) -%}
    {%- endif -%}
{%- endmacro -%}
