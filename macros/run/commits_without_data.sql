{#- Operations of commits that leave rows and files as they are, by their names in DESCRIBE HISTORY: of Delta 4.4, and in the last line
    of delta-rs 1.6. Compaction (OPTIMIZE, REORG) is none of them, as it exchanges files. -#}
{%- macro commits_without_data() -%}
    {{- return([
        'ADD COLUMNS', 'ADD CONSTRAINT', 'CHANGE COLUMN', 'CHANGE COLUMNS', 'CLUSTER BY', 'COMPUTE STATS', 'DOMAIN METADATA CLEANUP',
        'DROP CONSTRAINT', 'DROP FEATURE', 'OPTIMIZE CHECKPOINT', 'ROW TRACKING BACKFILL', 'ROW TRACKING UNBACKFILL', 'SET TBLPROPERTIES',
        'UNSET TBLPROPERTIES', 'UPGRADE PROTOCOL', 'VACUUM END', 'VACUUM START',
        'ADD COLUMN', 'ADD FEATURE', 'UPDATE FIELD METADATA', 'UPDATE TABLE METADATA',
    ]) -}}
{%- endmacro -%}
