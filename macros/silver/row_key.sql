{#- Surrogate key over columns of any type. NULL and empty text differ, and no two lists of values share a text:
    the separators are characters that data does not hold. -#}
{%- macro row_key(columns) -%}
    md5(concat_ws('\u001f'
        {%- for column in columns -%}
        , coalesce(cast({{ column }} as string), '\u001e')
        {%- endfor -%}
    ))
{%- endmacro -%}
