"""The second floor: the real orders by DuckDB, tables written by delta-rs; no dbt, no checks, no incremental runs.

It reads CSV by header name, types, drops bad rows and duplicates, and aggregates as the project does, into the tables
that hang on the source `orders`. What it wrote must have the project's row counts.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

TABLES = {
    "bronze/bronze_orders": """
        select *, now() as ingested_at
        from read_csv(
            '{landing}/orders/*.csv', header = true, all_varchar = true, union_by_name = true, filename = 'source_file'
        )
    """,
    "silver/silver_order_lines": """
        with typed as (
            select
                nullif(trim(InvoiceNo), '') as invoice_no,
                nullif(trim(StockCode), '') as product_id,
                Description as description,
                try_cast(trim(Quantity) as int) as quantity,
                try_cast(trim(UnitPrice) as decimal(18, 4)) as unit_price,
                try_strptime(InvoiceDate, '%Y-%m-%d %H:%M:%S') as invoiced_at,
                regexp_replace(nullif(trim(CustomerID), ''), '[.]0$', '') as customer_id,
                nullif(trim(Country), '') as country,
                source_file
            from bronze_orders
        ),
        keyed as (
            select
                md5(concat_ws(
                    '|', invoice_no, product_id, coalesce(description, '~'), quantity, invoiced_at, unit_price,
                    coalesce(customer_id, '~'), coalesce(country, '~')
                )) as order_line_id,
                *
            from typed
            where invoice_no is not null and product_id is not null and quantity <> 0 and unit_price between 0 and 50000
                and quantity between -100000 and 100000 and invoiced_at is not null
        )
        select distinct on (order_line_id)
            *,
            cast(quantity * unit_price as decimal(28, 4)) as net_amount,
            starts_with(invoice_no, 'C') as is_cancellation,
            customer_id is null as is_guest,
            cast(invoiced_at as date) as sales_date,
            cast(date_trunc('month', invoiced_at) as date) as sales_month
        from keyed
        order by order_line_id, source_file
    """,
    "gold/daily_sales_by_product": """
        select
            sales_date, product_id, sum(quantity) as units, sum(net_amount) as net_revenue, count(*) as order_line_count
        from silver_order_lines group by all
    """,
    "gold/sales_by_region": """
        select
            sales_month, coalesce(region, 'Unknown') as region, coalesce(lines.country, 'Unknown') as country,
            sum(quantity) as units, sum(net_amount) as net_revenue, count(*) as order_line_count,
            count_if(is_guest) as guest_line_count
        from silver_order_lines as lines left join read_csv('{seeds}/countries.csv') as c on lines.country = c.country
        group by all
    """,
    "gold/customer_lifetime_value": """
        select
            customer_id, count(distinct case when not is_cancellation then invoice_no end) as order_count,
            sum(quantity) as units, sum(net_amount) as net_revenue, min(sales_date) as first_order_date,
            max(sales_date) as last_order_date
        from silver_order_lines where not is_guest group by customer_id
    """,
    "gold/daily_global_sales": """
        select
            sales_date, sum(net_amount) as net_revenue, sum(quantity) as units,
            count(distinct case when not is_cancellation then invoice_no end) as order_count
        from silver_order_lines group by sales_date
    """,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("landing", "lake", "result"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument(
        "--started", type=float, required=True, help="epoch seconds at which this process was started"
    )
    given = arguments.parse_args()

    import duckdb
    from deltalake import write_deltalake

    duck = duckdb.connect()
    for path, query in TABLES.items():
        name = path.split("/")[1]
        duck.execute(f"create table {name} as {query.format(landing=given.landing, seeds=ROOT / 'seeds')}")
        write_deltalake(str(given.lake / path), duck.table(name).to_arrow_table(), mode="overwrite")
    seconds = time.time() - given.started
    rows = {path: duck.table(path.split("/")[1]).count("*").fetchone()[0] for path in TABLES}
    revenue = duck.execute("select sum(net_revenue) from daily_global_sales").fetchone()[0]
    given.result.write_text(json.dumps({"seconds": seconds, "rows": rows, "revenue": str(revenue)}))


if __name__ == "__main__":
    main()
