{#- Whether compaction pays: many files, and small ones. Each partition needs a file of its own, so those do not count.
    After OPTIMIZE it is false again, which is what makes ZORDER (it rewrites on every run) safe behind it. -#}
{%- macro optimize_is_due(num_files, size_in_bytes, num_partitions=1, min_files=32, small_file_mb=32) -%}
    {%- set too_many = num_files - num_partitions + 1 >= min_files -%}
    {{- return(too_many and size_in_bytes < num_files * small_file_mb * 1024 * 1024) -}}
{%- endmacro -%}
