{#-
    What upstream does: splits by a regular expression made of the delimiter with a backslash in front, which gives NULL for
    a delimiter that starts with a letter (dbt_utils.get_url_parameter finds nothing).
    Here: Spark's own split_part, which takes the delimiter as it is; a part that does not exist is '' as elsewhere.
    Can go when: `dbt.split_part("'a--b'", "'--'", 2)` gives b.
-#}
{%- macro spark__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro -%}
