{#- The plain path below the landing root from the engine's name of the file. Spark's is a percent-encoded URI; '+' is guarded: a URL
    decoder reads it as a space. -#}
{%- macro source_file_of(uri) -%}
    {%- set plain = uri if engine() == 'sail' else "url_decode(replace(" ~ uri ~ ", '+', '%2B'))" -%}
    {%- set root = sql_literal(landing_root() ~ '/') -%}
    case
        when instr({{ plain }}, {{ root }}) > 0
            then substring({{ plain }}, instr({{ plain }}, {{ root }}) + length({{ root }}))
        else raise_error(concat('The file ', {{ plain }}, ' is not below the landing root ', {{ root }}))
    end
{%- endmacro -%}
