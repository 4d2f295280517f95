{#- A setting in the meta of the judged model at hand, also where a unit test stands in for it; none while dbt parses. -#}
{%- macro judged_meta(name) -%}
    {{- return(_judged_node().config.meta.get(name) if execute) -}}
{%- endmacro -%}

{%- macro _judged_node() -%}
    {{- return(graph.nodes[model.get('tested_node_unique_id') or model.unique_id]) -}}
{%- endmacro -%}
