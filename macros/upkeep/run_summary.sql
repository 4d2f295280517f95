{#- A SELECT of what runs took in and where it went, from the ledgers: `since` is their start (UTC), `runs` are their invocation ids, joined by
    commas. Rows without a place count files; the others come from the row ledger. -#}
{%- macro run_summary(since, runs) -%}
    {%- set books = [file_ledger(), row_ledger()] -%}
    {%- if not execute or load_relation(books[0]) is none or load_relation(books[1]) is none -%}
        select '' as source, 0 as batch_id, '' as place, '' as reason, 0 as file_count, 0 as record_count
        where false
    {%- else -%}
        select source, batch_id, cast(null as string) as place, cast(null as string) as reason, count(*) as file_count, sum(record_count) as record_count
        from {{ by_place(books[0]) }}
        where ingested_at >= timestamp {{ sql_literal(since) }}
        group by source, batch_id
        union all
        select source, batch_id, place, reason, 0 as file_count, sum(record_count) as record_count
        from {{ by_place(books[1]) }}
        where array_contains(split({{ sql_literal(runs) }}, ','), invocation_id)
        group by source, batch_id, place, reason
    {%- endif -%}
{%- endmacro -%}
