"""What a value means: ids, texts, numbers, times and money, one lake for all cases, built batch by batch.

Each case is a few records in one or more batches, and what a query of the tables must give after the last one.
"""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal

import pytest
from conftest import NO_TESTS, delta_rs
from truth import plain

pytestmark = pytest.mark.engines("sail", in_soak="spark")

ORDERS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
PRODUCTS = "product_id,name,category,list_price,extracted_at\n"
LETTERS = "àçéîñöşůžÅĐẫộựṣǖṻὰᾄЙїがパ"


def line(
    invoice="700000",
    code="A1",
    description="LAMP",
    quantity="2",
    date="2026-01-05 10:00:00",
    price="1.50",
    customer="17850",
    country="France",
) -> str:
    return ",".join((invoice, code, description, quantity, date, price, customer, country)) + "\n"


def order(
    number, rev=1, lines=(("A1", 2, "1.50"),), placed_at="2026-01-05T10:00:00Z", currency="GBP", **changes
) -> str:
    rows = [{"no": n, "sku": sku, "qty": qty, "price": price} for n, (sku, qty, price) in enumerate(lines, 1)]
    record = {"id": number, "rev": rev, "placed_at": placed_at, "currency": currency, "lines": rows}
    record["buyer"] = {"ref": "b1", "country": "France"}
    return json.dumps(record | changes) + "\n"


def event(number, user="u1", time="2026-01-05 10:00:00", kind="page_view", **changes) -> str:
    return json.dumps({"event_id": number, "user_id": user, "event_type": kind, "raw_time": time} | changes) + "\n"


def change(customer, sequence, operation="update", status="active", time="2026-01-05 10:00:00", **changes) -> str:
    record = {"operation": operation, "sequence": sequence, "customer_id": customer, "status": status}
    return json.dumps(record | {"country": "France", "updated_at": time} | changes) + "\n"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


# Batches of files: source, records.
BATCHES = [
    {
        "orders": [
            # one line, written in many ways
            *(line(invoice) for invoice in ("700001", "700001.0", "700001\u00a0", "\t700001 ", "\u200b700001\ufeff")),
            *(
                line("700003", description=text)
                for text in ("SET OF  3", "SET OF 3 ", "SET\u2003OF\u00a03", "SET\tOF 3")
            ),
            *(line("700004", description=form) for form in (LETTERS, nfd(LETTERS))),
            *(line("700005", code) for code in ("INV.0", "INV")),
            *(
                line("700006", customer=word, country=word)
                for word in ("null", "None", "NaN", " N/A ", "undefined", "-", "")
            ),
            *(line("700007", quantity=text) for text in ("1", "1.0", "+1", "1.000", "1\u00a0")),
            *(line("700008", quantity=text) for text in ("1,000".join('""'), "1e3", "1.5")),
            *(line("700009", price=text) for text in ("1.5", "1.50000", "\u00a01.50")),
            # the public file's dates
            *(line("700010", date=text) for text in ("12/1/2010 8:26", "2010-12-01 08:26:00", "12/01/2010 08:26")),
            line("700011", date="13/1/2010 8:26"),
            *(line("700012", date=f"{year}-01-01 00:00:00") for year in ("0000", "1999", "2100", "9999")),
            line("700013", "null"),
            # a line that is taken back and written anew
            line("700014", quantity="6"),
            line("700020", date="2026-02-20 10:00:00"),
        ],
        "marketplace_orders": [
            *(order(5), order(5.0, 2.0, [("A1", 3.0, 1.5)]), order("6", 1), order(" 6\u00a0", 2)),
            *(
                order(f"t{number}", placed_at=text)
                for number, text in enumerate(
                    [
                        "2026-01-05T10:00:00.123Z",
                        "2026-01-05T10:00:00,5+00:00",
                        "2026-01-05T12:00:00+02:00",
                        "2026-01-05T04:30:00-0530",
                        "2026-01-05T10:00Z",
                        "2026-01-05T10:00:00",
                        "2026-01-06T00:30:00+01",
                        "2026-01-05T10:00:00.123456789Z",
                    ]
                )
            ),
            *(
                order(f"bad{number}", placed_at=text)
                for number, text in enumerate(
                    ["2026-01-05 10:00:00", "2026-01-05", "2026-02-30T10:00:00Z", "T10:00Z", ""]
                )
            ),
            *(order(f"far{year}", placed_at=f"{year}-12-31T10:00:00Z") for year in ("0000", "1999", "2100", "9999")),
            *(order("cancelled"), order("all zero"), order("cut", lines=[("A1", 2, "1"), ("A2", 3, "1")])),
            *(order("tie", 2, [("A1", 1, "1")]), order("tie", 2, [])),
            order("no list", lines=()).replace('"lines": []', '"lines": null'),
            *(order("euro", currency="EUR"), order("old euro", placed_at="2011-01-05T10:00:00Z", currency="EUR")),
            *(order("None"), order("marker", currency="null")),
        ],
        "web_events": [
            *(event(18), event(18.0), event("18 "), event("svc", "svc.0"), event("svc.0", "svc")),
            *(
                event(f"n{number}", word)
                for number, word in enumerate(("null", "NONE", "N/A", "undefined", "\u00a0", "#N/A"))
            ),
            *(event("told twice"), event("told twice", kind="search")),
            event("again", time="2025-12-10 10:00:00"),
            event("earlier", time="2026-02-20 10:00:00"),
            *(event(f"far{year}", time=f"{year}-12-31 00:00:00") for year in ("0000", "1999", "2100", "9999")),
        ],
        "customers": [
            *(change(1, 1), change(1.0, 2.0, status="closed"), change("1", 3, time="9999-12-31 00:00:00")),
            *(change("delete first", 1, "insert"), change("delete first", 2, "delete", None)),
            *(change("update first", 1, "insert"), change("update first", 2, status="closed")),
            *(
                change("both at once", 2),
                change("both at once", 2, "delete", None),
                change("both at once", 2, status="closed"),
            ),
            # so many that no order by their hashes has the delete last each time
            *(change(f"pair {n}", 2, *other) for n in range(6) for other in ((), ("delete", None))),
            change("null", 1),
            change("nowhere", 1, country="NULL"),
        ],
        "products": [
            *(f"P{n},LAMP,,1.50,2026-01-05 04:00:00\n" for n in (1, 2)),
            *(f"P{n},LAMP,,1.50,2026-01-05 04:00:01\n" for n in (3, 4)),
        ],
    },
    {
        "orders": [line("700014", quantity="-6"), line("700014", quantity="5")],
        "marketplace_orders": [
            *(order("cancelled", 2, []), order("all zero", 2, [("A1", 0, "1.50")])),
            order("cut", 2.0, [("A1", 2.0, "1"), (None, "0.0", None)]),
        ],
        "web_events": [
            event("told twice", kind="purchase"),
            # far beyond the slack of the MERGE: later, so it holds, and earlier, so it does not
            event("again", time="2026-02-20 10:00:00", kind="search"),
            event("earlier", time="2026-02-01 10:00:00", kind="search"),
        ],
        "customers": [change("delete first", 2, status="closed"), change("update first", 2, "delete", None)],
        "products": [
            *(f"P{n},LAMP,,1.50,2026-01-06 04:00:00\n" for n in (1, 3)),
            "P2,LAMP,,dear,2026-01-06 04:00:02\n",
        ],
    },
]
SILVER = "{silver}.silver_"


def quarantined(source: str, rule: str) -> str:
    """Counts the records of a source that break this rule and no other."""
    return f"select '{source}', count(*) from {{silver}}.quarantine_{source} where violated_rules = array('{rule}')"


CASES = {
    "an invoice has one number": (
        f"select invoice_no, count(*) from {SILVER}order_lines where invoice_no like '%700001%' group by 1",
        [("700001", 1)],
    ),
    "a description has one form": (
        f"select description from {SILVER}order_lines where invoice_no = '700003'",
        [("SET OF 3",)],
    ),
    "letters are composed": (
        f"select description from {SILVER}order_lines where invoice_no = '700004'",
        [(LETTERS,)],
    ),
    "a code that ends in .0 is no number": (
        f"select product_id from {SILVER}order_lines where invoice_no = '700005'",
        [("INV",), ("INV.0",)],
    ),
    "a word for nothing is nothing": (
        f"select customer_id, country, is_guest from {SILVER}order_lines where invoice_no = '700006'",
        [(None, None, True)],
    ),
    "one rule for whole numbers": (
        f"select quantity from {SILVER}order_lines where invoice_no in ('700007', '700008')",
        [(1,)],
    ),
    "a number that may be another is refused": (
        quarantined("orders", "quantity_valid"),
        [("orders", 3)],
    ),
    "one rule for prices": (f"select unit_price from {SILVER}order_lines where invoice_no = '700009'", [("1.5000",)]),
    "the public file's dates": (
        f"select invoiced_at from {SILVER}order_lines where invoice_no in ('700010', '700011')",
        [("2010-12-01 08:26:00",)],
    ),
    "a date is never guessed": (
        quarantined("orders", "invoice_date_valid"),
        [("orders", 1)],
    ),
    "times are plausible": (
        " union all ".join(
            quarantined(source, rule)
            for source, rule in {
                "orders": "invoice_date_plausible",
                "web_events": "event_time_plausible",
                "marketplace_orders": "placed_at_plausible",
                "customers": "updated_at_plausible",
            }.items()
        ),
        [("customers", 1), ("marketplace_orders", 4), ("orders", 4), ("web_events", 4)],
    ),
    "a product that is a word for nothing": (
        quarantined("orders", "stock_code_present"),
        [("orders", 1)],
    ),
    "a marketplace order has one id": (
        f"select order_id, revision from {SILVER}marketplace_orders where order_id rlike '^[^a-z]*[56]'",
        [("5", 2), ("6", 2)],
    ),
    "ISO 8601": (
        f"select order_id, cast(placed_at as string) from {SILVER}marketplace_orders where order_id like 't_'",
        [
            ("t0", "2026-01-05 10:00:00.123"),
            ("t1", "2026-01-05 10:00:00.5"),
            ("t2", "2026-01-05 10:00:00"),
            ("t3", "2026-01-05 10:00:00"),
            ("t4", "2026-01-05 10:00:00"),
            ("t5", "2026-01-05 10:00:00"),
            ("t6", "2026-01-05 23:30:00"),
            ("t7", "2026-01-05 10:00:00.123456"),
        ],
    ),
    "no date and time of ISO 8601": (
        quarantined("marketplace_orders", "placed_at_valid"),
        [("marketplace_orders", 5)],
    ),
    "a cancelled order stays as such": (
        f"select order_id, revision, is_cancelled, size(lines) from {SILVER}marketplace_orders "
        "where order_id in ('cancelled', 'all zero', 'cut', 'tie')",
        [("all zero", 2, True, 0), ("cancelled", 2, True, 0), ("cut", 2, False, 1), ("tie", 2, True, 0)],
    ),
    "an order without a list of lines is no cancellation": (
        quarantined("marketplace_orders", "lines_present"),
        [("marketplace_orders", 1)],
    ),
    "revenue of cancelled and cut orders is gone": (
        # 5, 6 and t0 to t7 at 3 or 4.50, cut at 2; euro by its rate
        "select marketplace_revenue - round(3 * gbp_per_unit, 4) from {gold}.daily_global_sales "
        "inner join {silver}.exchange_rates on sales_date = rate_date and currency = 'EUR' "
        "where sales_date = '2026-01-05'",
        [(Decimal("4.5000") + 3 + 8 * 3 + 2,)],
    ),
    "a sale without a rate is listed": (
        "select sales_date, source, currency, reason, line_count, units, amount from {gold}.unconverted_sales",
        [("2011-01-05", "marketplace_orders", "EUR", "no_exchange_rate", 1, 2, "3.0000")],
    ),
    "no day of it": ("select count(*) from {gold}.daily_global_sales where year(sales_date) = 2011", [(0,)]),
    "an event has one id": (
        f"select event_id, user_id from {SILVER}web_events where event_id like '%18%' or event_id like 'svc%'",
        [("18", "u1"), ("svc", "svc.0"), ("svc.0", "svc")],
    ),
    "a user that is a word for nothing": (
        quarantined("web_events", "user_id_present"),
        [("web_events", 6)],
    ),
    "an event sent again weeks later": (
        f"select event_id, event_type, activity_date from {SILVER}web_events where event_id in ('again', 'earlier')",
        [("again", "search", "2026-02-20"), ("earlier", "page_view", "2026-02-20")],
    ),
    "days of an event sent again": (
        "select activity_date, event_count from {gold}.daily_user_activity where activity_date >= '2026-02-01'",
        [("2026-02-20", 2)],
    ),
    "a customer has one id, and a far date hides nothing": (
        f"select customer_id, sequence, status from {SILVER}customers where customer_id like '1%'",
        [("1", 2, "closed")],
    ),
    "a delete wins over an update": (
        f"select customer_id, operation from {SILVER}customer_changes where sequence = 2 and customer_id <> '1'",
        [
            *((name, "delete") for name in ("both at once", "delete first")),
            *((f"pair {n}", "delete") for n in range(6)),
            ("update first", "delete"),
        ],
    ),
    "records that contradict each other are counted": (
        # twice and three times at once; later, whether the new record holds or not
        "select source, batch_id, severity, sum(record_count) from {ops}.rule_results where rule = 'contradiction' "
        "group by source, batch_id, severity",
        [
            ("customers", 1, "warn", 8),
            ("customers", 2, "warn", 2),
            ("marketplace_orders", 1, "warn", 1),
            ("web_events", 1, "warn", 3),
            ("web_events", 2, "warn", 1),
        ],
    ),
    "and have a place": (
        "select place, sum(record_count) from {ops}.row_ledger where reason = 'contradiction' and source = 'customers' "
        "group by place",
        [("deleted", 1), ("superseded", 9)],
    ),
    "so they are no customers": (
        f"select customer_id from {SILVER}customers where customer_id <> '1'",
        [("nowhere",)],
    ),
    "a country that is a word for nothing": (
        f"select country from {SILVER}customers where customer_id = 'nowhere'",
        [(None,)],
    ),
    "an extract may carry several times": (
        "select product_id, is_active from {gold}.dim_products",
        [("P1", True), ("P2", True), ("P3", True), ("P4", False)],
    ),
    "history agrees": (
        "select product_id, valid_from, valid_to from {gold}.product_history",
        [
            ("P1", "2026-01-05 04:00:00", None),
            ("P2", "2026-01-05 04:00:00", None),
            ("P3", "2026-01-05 04:00:00", None),
            ("P4", "2026-01-05 04:00:00", "2026-01-06 04:00:00"),
        ],
    ),
    "a reversal corrects an order": (
        "select sum(quantity), sum(net_amount), count(*) from {silver}.silver_order_lines where invoice_no = '700014'",
        [(5, "7.5000", 3)],
    ),
}


@pytest.fixture(scope="module")
def values(new_lake):
    lake = new_lake("values")
    for number, batch in enumerate(BATCHES, 1):
        for source, records in batch.items():
            header = {"orders": ORDERS, "products": PRODUCTS}.get(source)
            lake.drop_file(f"{source}/{number}.{'csv' if header else 'json'}", (header or "") + "".join(records))
        lake.build(*(NO_TESTS if number < len(BATCHES) else ()))
    return lake


def rows(lake, query):
    return sorted((tuple(plain(value) for value in row) for row in lake.sql(query)), key=repr)


@pytest.mark.parametrize("name", CASES)
def test_a_value_is_what_it_means(values, name):
    query, expected = CASES[name]
    assert rows(values, query) == sorted((tuple(plain(value) for value in row) for row in expected), key=repr)


def test_bronze_keeps_every_text_as_it_came(values):
    found = values.sql("select record from {bronze}.bronze_orders where source_file = 'orders/1.csv'")
    assert {record for (record,) in found} == {record.rstrip("\n") for record in BATCHES[0]["orders"]}


def test_every_reader_can_read_the_times(values):
    for name in (
        "silver.silver_web_events",
        "silver.silver_order_lines",
        "gold.dim_customers",
        "gold.daily_global_sales",
    ):
        assert delta_rs(values.path(name), "select count(*) from t")


def converted(lake):
    """Lines that gold counts, and those that it lists as not converted."""
    [(counted,)] = lake.sql("select sum(order_line_count) from {gold}.daily_sales_by_product")
    query = "select coalesce(sum(line_count), 0) from {gold}.unconverted_sales where source = 'orders'"
    return int(counted), int(lake.sql(query)[0][0])


def test_another_reporting_currency_and_a_gap_in_its_rates(values):
    """All of gold is in one currency, and a lack of rates costs the days that it concerns."""
    [(lines,)] = values.sql("select count(*) from {silver}.silver_order_lines")
    assert converted(values) == (lines, 0)
    values.build(reporting_currency="EUR")
    [(old,)] = values.sql("select count(*) from {silver}.silver_order_lines where year(sales_date) < 2011")
    assert converted(values) == (lines - old, old)
    day = "select {} from {{gold}}.daily_global_sales where sales_date = '2026-02-20'"
    [(euros,)] = values.sql(
        "select round(3 * cast(cast(1 as decimal(18, 8)) / gbp_per_unit as decimal(18, 8)), 4) "
        "from {silver}.exchange_rates "
        "where currency = 'EUR' and rate_date = '2026-02-20'"
    )
    assert values.sql(day.format("net_revenue")) == [(euros,)]
    by_product = "select sum(net_revenue) from {gold}.daily_sales_by_product where sales_date = '2026-02-20'"
    assert values.sql(by_product) == [(euros,)]

    values.sql("delete from {silver}.exchange_rates where rate_date between '2025-12-20' and '2026-01-20'")
    values.build("--select", "tag:gold", "--exclude", "exchange_rate_history", *NO_TESTS, reporting_currency="EUR")
    assert converted(values) == (1, lines - 1)
    assert values.sql(day.format("net_revenue")) == [(euros,)]
    gap = (
        "select count(*) from {gold}.unconverted_sales where sales_date = '2026-01-05' and reason = 'no_exchange_rate'"
    )
    assert values.sql(gap) == [(2,)]  # pounds of both feeds; euros need no rate
