{#- Run-operation: compacts the tables of the lake that need it. For a schedule of its own, outside the builds:
    dbt run-operation optimize_tables --args '{layer: gold}' --target-path target/upkeep -#}
{%- macro optimize_tables(layer=none, table=none, force=false) -%}
    {%- do _assert_upkeep_possible('optimize') -%}
    {%- set tables = project_tables(layer, table) -%}
    {%- set optimized = [] -%}
    {%- for entry in tables -%}
        {%- set name = entry.layer ~ '.' ~ entry.name -%}
        {%- set policy = optimize_policy(entry.config) -%}
        {%- if policy.skip -%}
            {%- do print(name ~ ': left alone, its config says skip_optimize') -%}
        {%- else -%}
            {%- set detail = describe_table(entry.relation) -%}
            {%- set size = '%.1f MB' | format(detail.size_in_bytes / 1024 / 1024) -%}
            {%- set pays = _optimize_pays(entry.relation, detail, policy, 'always' if force else 'when_needed') -%}
            {%- if pays -%}
                {%- do run_query(optimize_sql(entry.relation, policy.zorder)) -%}
                {%- do optimized.append(name) -%}
                {%- do print(
                    name ~ ': optimized' ~ (', zorder by ' ~ policy.zorder | join(', ') if policy.zorder else '')
                    ~ ', files: ' ~ detail.num_files ~ ' before, ' ~ describe_table(entry.relation).num_files ~ ' now (' ~ size ~ ')'
                ) -%}
            {%- else -%}
                {%- do print(name ~ ': nothing to do (files: ' ~ detail.num_files ~ ', ' ~ size ~ ')') -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if tables | length != 1 -%}
        {%- do print(optimized | length ~ ' of ' ~ tables | length ~ ' tables optimized') -%}
    {%- endif -%}
{%- endmacro -%}
