{#- dbt's own snapshot, skipped while neither its input nor its definition has changed; dbt would run twenty statements to find that out. -#}
{%- materialization snapshot, adapter='spark' -%}
    {%- set settings = [] -%}
    {%- for name in ['unique_key', 'strategy', 'check_cols', 'updated_at', 'hard_deletes'] -%}
        {%- do settings.append(config.get(name, '') | string) -%}
    {%- endfor -%}
    {%- set made_by = local_md5(without_blanks(sql) ~ settings | join('|')) -%}
    {%- set consumed = positions_of_inputs() -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set is_same = load_relation(this) is not none and table_properties(this).get('medallion.made_by') == made_by -%}
    {%- if is_same and consumed_positions(this) == consumed -%}
        {%- call noop_statement('main', 'NOTHING NEW') -%}{%- endcall -%}
        {{- return({'relations': [relation]}) -}}
    {%- endif -%}
    {%- set result = dbt.materialization_snapshot_spark() -%}
    {%- do forget_state(relation) -%}
    {%- do mark_consumed({'table': relation, 'consumed': consumed, 'made_by': made_by}) -%}
    {{- return(result) -}}
{%- endmaterialization -%}
