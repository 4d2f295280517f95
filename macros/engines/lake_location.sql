{#- Where a table of a schema lies on this machine: the folder of Spark's warehouse, which both engines share. -#}
{%- macro lake_location(schema, identifier=none) -%}
    {%- set warehouse = absolute_path(env_var('MEDALLION_HOME', '') or '.lake') ~ '/warehouse' -%}
    {#- It percent-encodes the others, and then takes what it wrote for the folder's name. -#}
    {%- if engine() == 'sail' and not modules.re.fullmatch('[A-Za-z0-9/_.~+=@,-]*', warehouse) -%}
        {{- exceptions.raise_compiler_error(
            "Sail cannot keep a lake in " ~ warehouse ~ ": it writes a blank and most other special characters of a path wrongly."
            ~ " Set MEDALLION_HOME to a folder whose path has letters, digits and - _ . only, or build on Spark: --target local."
        ) -}}
    {%- endif -%}
    {{- return(warehouse ~ '/' ~ schema ~ '.db' ~ ('/' ~ identifier if identifier else '')) -}}
{%- endmacro -%}
