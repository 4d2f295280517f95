{#- The path of a file below the landing root, from its plain absolute path. -#}
{%- macro source_file_of(path) -%}
    {%- set root = sql_literal(landing_root() ~ '/') -%}
    case
        when instr({{ path }}, {{ root }}) > 0
            then substring({{ path }}, instr({{ path }}, {{ root }}) + length({{ root }}))
        else raise_error(concat('The file ', {{ path }}, ' is not below the landing root ', {{ root }}))
    end
{%- endmacro -%}
