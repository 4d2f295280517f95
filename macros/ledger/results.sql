{#- What each run did, in ops.node_results, and from it the tests that need not run again: dbt itself runs every test on every run. -#}

{#- Results of a test that has not changed, as dbt expects them from its query; none if it must run. -#}
{%- macro result_of_unchanged_test(sql) -%}
    {%- set recipe = _recipe_of_test(sql) -%}
    {%- if not recipe -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set last = results_of_tests().get(model.unique_id) -%}
    {%- set written = [] -%}
    {%- for input in recipe.inputs if is_written(input) -%}{%- do written.append(input) -%}{%- endfor -%}
    {%- if last and not written and last.state == _state_of_test(recipe) -%}
        {{- return(_test_result(last.failures, last.status == 'warn')) -}}
    {%- endif -%}
    {%- do run_memory('tests').update({model.unique_id: recipe}) -%}
    {{- return(none) -}}
{%- endmacro -%}

{#- What decides the result of a test, beside the state of its inputs; none for a test that also depends on the time or on chance, that stores
    its failures, or that has no table to depend on. -#}
{%- macro _recipe_of_test(sql) -%}
    {%- set is_steady = not modules.re.search('(?i)current_(date|time)|\\b(now|rand|uuid)[(]', sql) -%}
    {%- if not is_steady or should_store_failures() or not load_relation(node_results()) -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set inputs = [] -%}
    {%- for node in inputs_of(model) -%}{%- do inputs.append(relation_of(node)) -%}{%- endfor -%}
    {#- macros read ledgers that no ref names -#}
    {%- for node in graph.sources.values() if node.source_name == 'ops' and relation_of(node) | string in sql -%}
        {%- do inputs.append(relation_of(node)) -%}
    {%- endfor -%}
    {%- set parts = [without_blanks(sql)] -%}
    {%- for name in ['severity', 'warn_if', 'error_if', 'fail_calc', 'limit', 'where'] -%}{%- do parts.append(config.get(name) | string) -%}{%- endfor -%}
    {%- do parts.extend(sql_of_views(model)) -%}
    {{- return({'hash': local_md5(parts | join('|')), 'inputs': inputs} if inputs else none) -}}
{%- endmacro -%}

{#- The recipe with the positions of its inputs; none if one of them is not there. -#}
{%- macro _state_of_test(recipe) -%}
    {%- set positions = [recipe.hash] -%}
    {%- for input in recipe.inputs -%}
        {%- if table_state(input) is none -%}
            {{- return(none) -}}
        {%- endif -%}
        {%- do positions.append(input.identifier ~ ' ' ~ position_of(input)) -%}
    {%- endfor -%}
    {{- return(local_md5(positions | join('|'))) -}}
{%- endmacro -%}

{#- The last result of each test that passed or warned, by unique_id; read once per run, and with them, in one statement, the last release. -#}
{%- macro results_of_tests() -%}
    {%- set memory = run_memory('results') -%}
    {%- if 'tests' not in memory -%}
        {%- set known = {} -%}
        {%- if not var('run_all_tests', false) and load_relation(node_results()) -%}
            {%- for row in run_query(
                'select unique_id, max_by(state, ended_at) as state, max_by(status, ended_at) as status, max_by(failures, ended_at) as failures from '
                ~ by_place(node_results()) ~ " where resource_type = 'test' group by unique_id"
                ~ " union all select 'release', versions, cast(rolled_back_to as string), release_id from (select * from "
                ~ by_place(releases()) ~ ' order by release_id desc limit 1) as newest'
            ).rows -%}
                {%- if row['unique_id'] == 'release' -%}
                    {%- do run_memory('releases').update({'last': {
                        'release_id': row['failures'] | int, 'rolled_back_to': row['status'] | int, 'versions': fromjson(row['state']),
                    }}) -%}
                {%- elif row['status'] in ['pass', 'warn'] and row['state'] -%}
                    {%- do known.update({row['unique_id']: {'state': row['state'], 'status': row['status'], 'failures': row['failures'] | int}}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
        {%- do memory.update({'tests': known}) -%}
    {%- endif -%}
    {{- return(memory.tests) -}}
{%- endmacro -%}

{%- macro _test_result(failures, is_warning) -%}
    {%- set memory = run_memory('results') -%}
    {%- set name = failures ~ ' ' ~ is_warning -%}
    {%- if name not in memory -%}
        {%- do memory.update({name: run_query('select ' ~ failures ~ ' as failures, ' ~ is_warning ~ ' as should_warn, false as should_error')}) -%}
    {%- endif -%}
    {{- return(memory[name]) -}}
{%- endmacro -%}

{#- For on-run-end: enters what the nodes of this run did, in one commit, with the states of the tests that passed or warned. A run that wrote
    nothing and learned nothing enters nothing. -#}
{%- macro record_results(results) -%}
    {%- if execute and flags.WHICH in ['run', 'build', 'retry', 'test'] and not is_dry_run() and load_relation(node_results()) -%}
        {%- set tests = run_memory('tests') -%}
        {%- set done = [] -%}
        {%- set news = [] -%}
        {%- for result in results if result.node.resource_type in ['model', 'seed', 'snapshot', 'test', 'unit_test'] -%}
            {%- set message = (result.adapter_response or {}).get('_message') or '' -%}
            {%- if not (message == 'NOTHING NEW' or message.startswith('UNCHANGED') or result.node.config.materialized == 'ephemeral') -%}
                {%- do done.append(result) -%}
                {%- if result.status | string not in ['skipped', 'pass', 'warn'] or (result.node.unique_id in tests and result.status | string != 'skipped') -%}
                    {%- do news.append(result) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if news -%}
            {%- do _enter_results(done, tests) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}

{%- macro _enter_results(results, tests) -%}
    {%- if tests -%}{%- do read_schemas_again() -%}{%- endif -%}
    {%- set entries = [] -%}
    {%- for result in results -%}
        {%- set status = result.status | string -%}
        {%- set recipe = tests.get(result.node.unique_id) -%}
        {%- set state = _state_of_test(recipe) if recipe and status in ['pass', 'warn'] else none -%}
        {%- do entries.append('(' ~ [
            sql_literal(result.node.unique_id), sql_literal(result.node.resource_type), sql_literal(status), result.execution_time | round(3),
            result.failures if result.failures is not none else 'null', sql_literal(state) if state else 'null',
        ] | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- do name_table(node_results()) -%}
    {%- call statement('record_results') -%}
        insert into {{ node_results() }}
        select
            '{{ invocation_id }}', unique_id, resource_type, status, cast(seconds as double), cast(failures as bigint),
            cast(state as string), cast('{{ run_started_at }}' as timestamp), current_timestamp()
        from values {{ entries | join(', ') }} as done(unique_id, resource_type, status, seconds, failures, state)
    {%- endcall -%}
{%- endmacro -%}
