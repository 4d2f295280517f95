"""Write the demo's landing files, dirt included, and `truth.json`: what the pipeline must make of them.

Everything follows from (seed, days, start, events): a day's files are the same bytes whether the days are written at
once or one by one. Dirt is not drawn by chance but dealt in turn, every n-th record, so each kind is there for every
seed. A record travels as (raw text, verdict, facts): the verdict names the rules it was made to violate ('' for a
good one) and the facts are what a reader must find in it. The truth is judged from those two alone; nothing is parsed.

Only Random.random() is drawn from: its sequence for a seed is the same in every Python version.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Any, ClassVar, TextIO

import click

Record = tuple[str, str, Any]  # raw text ('' is a blank line, no record), verdict, facts
Defect = tuple[dict[Any, Any], str]  # the fields to change, the rules then violated (sorted)

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
SOURCES = ("web_events", "orders", "marketplace_orders", "customers", "products")
UNREADABLE = {"malformed_json", "not_a_json_object", "too_few_fields", "too_many_fields"}
CLOCK = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86400)]
FIRST_CUSTOMER = 10000
HOMES = ["United Kingdom"] * 13 + ["Germany", "France", "EIRE", "Netherlands", "USA", "Norway", "Unspecified"]
DROP = object()  # in a Defect: the field is left out

# ---------------------------------------------------------------------------------------------------- the dirt, dealt
NOT_OBJECTS = ["[1, 2, 3]", '"heartbeat"', "42", "null"]
BROKEN_JSON: list[Any] = ["truncated", "not_object"]
BAD_TIMES = ["2026-13-45 99:00:00", "yesterday", "2026-01-05T10:00:00", "2026-02-30 12:00:00", "", None, DROP]
EVENT_DIRT: list[Any] = [
    *BROKEN_JSON, "duplicate", "resent", "resent_earlier", "same_time", "late", "late", "number_id",
    *[({"user_id": value}, "user_id_present") for value in (None, "", "  ", DROP)],
    *[({"event_id": value}, "event_id_present") for value in (None, "", DROP)],
    *[({"event_type": value}, "event_type_known") for value in ("hover", "pageview", None, DROP)],
    *[({"raw_time": value}, "event_time_valid") for value in BAD_TIMES],
    ({"user_id": None, "raw_time": "soon"}, "event_time_valid,user_id_present"),
    (
        {"event_id": "", "user_id": DROP, "event_type": "hover", "raw_time": None},
        "event_id_present,event_time_valid,event_type_known,user_id_present",
    ),
]  # fmt: skip

ORDER_COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
                 "Country"]  # fmt: skip
INVOICE, STOCK, TEXT, QUANTITY, DATE, PRICE, CUSTOMER, COUNTRY = range(8)
ORDER_DIRT: list[Any] = [
    "duplicate", "written_otherwise", "late", "late", "unknown_country", "no_country", "few_fields", "many_fields",
    "comma", "quotes", "line_break", "unicode", "spaces", "edge_of_bounds",
    *[({INVOICE: value}, "invoice_no_present") for value in ("", "  ")],
    ({STOCK: ""}, "stock_code_present"),
    *[({QUANTITY: value}, "quantity_valid") for value in ('"12,5"', "abc", "3.5", "")],
    ({QUANTITY: "0"}, "quantity_not_zero"),
    *[({QUANTITY: value}, "quantity_within_bounds") for value in ("100001", "-250000")],
    *[({PRICE: value}, "unit_price_valid") for value in ('"12,5"', "abc", "1.23456", "1e3", "")],
    *[({PRICE: value}, "unit_price_not_negative") for value in ("-11.50", "-0.0001")],
    *[({PRICE: value}, "unit_price_within_bounds") for value in ("50000.01", "99999.99")],
    *[({DATE: value}, "invoice_date_valid") for value in ("2026-13-45 99:00:00", "31/12/2026 08:26", "")],
    *[({CUSTOMER: value}, "customer_id_valid") for value in ("ABC", "17850.5", "-17850")],
    (
        {QUANTITY: "0", PRICE: "-1.00", DATE: "yesterday", CUSTOMER: "none yet"},
        "customer_id_valid,invoice_date_valid,quantity_not_zero,unit_price_not_negative",
    ),
    (
        dict.fromkeys(range(8), ""),
        "invoice_date_valid,invoice_no_present,quantity_valid,stock_code_present,unit_price_valid",
    ),
]  # fmt: skip

MARKET_DIRT: list[Any] = [
    *BROKEN_JSON, "duplicate", "same_revision", "late", "blank", "text_numbers", "pounds",
    *[({"id": value}, "order_id_present") for value in (None, "", DROP)],
    *[({"rev": value}, "revision_valid") for value in ("x", None, DROP)],
    *[({"placed_at": value}, "placed_at_valid") for value in ("2026-01-05 10:00:00", "soon", None)],
    *[({"currency": value}, "currency_known") for value in ("XTS", None)],
    *[({"lines": value}, "lines_present") for value in (None, DROP)],
    *[({"line": {"qty": value}}, "line_quantities_valid") for value in (0.5, "many", None)],
    *[({"line": {"price": value}}, "line_prices_valid") for value in (-5.25, "free", 1.23456, None)],
    (
        {"id": "", "currency": "XTS", "line": {"qty": 0.5, "price": -1}},
        "currency_known,line_prices_valid,line_quantities_valid,order_id_present",
    ),
]  # fmt: skip

CUSTOMER_DIRT: list[Any] = [
    *BROKEN_JSON, "duplicate", "same_sequence", "number_id",
    *[({"customer_id": value}, "customer_id_present") for value in (None, "", DROP)],
    *[({"operation": value, "status": "active"}, "operation_known") for value in ("upsert", None)],
    *[({"sequence": value}, "sequence_valid") for value in ("abc", None)],
    *[({"updated_at": value}, "updated_at_valid") for value in BAD_TIMES],
    *[({"operation": "update", "status": value}, "status_known") for value in ("vip", None)],
    (
        {"operation": "merge", "customer_id": "", "status": "vip", "updated_at": "soon"},
        "customer_id_present,operation_known,status_known,updated_at_valid",
    ),
]  # fmt: skip

PRODUCT_COLUMNS = ["product_id", "name", "category", "list_price", "extracted_at"]
PRODUCT_COLUMNS_LATER = ["product_id", "category", "name", "extracted_at", "list_price"]
PRODUCT_DIRT: list[Any] = [
    "duplicate", "two_prices", "few_fields", "many_fields", "footer",
    ({0: ""}, "product_id_present"),
    ({1: ""}, "name_present"),
    ({3: "-3.50"}, "list_price_not_negative"),
    *[({3: value}, "list_price_valid") for value in ("N/A", '"12,50"', "")],
    *[({4: value}, "extracted_at_valid") for value in ("2026-13-45 99:00:00", "")],
    ({0: "", 1: "", 3: "abc"}, "list_price_valid,name_present,product_id_present"),
]  # fmt: skip


# ------------------------------------------------------------------------------------------------------ small helpers
def mix(*numbers: int) -> int:
    """A 64-bit hash: gives any single record its own dice without drawing those of all records before it."""
    value = 0x9E3779B97F4A7C15
    for number in numbers:
        value = (value ^ number) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 31
    return value


def cell(text: str) -> str:
    """The text as a CSV field, quoted where needed."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def put(values: tuple, changes: dict[int, Any]) -> tuple:
    """The tuple with some positions replaced."""
    return tuple(changes.get(place, value) for place, value in enumerate(values))


def edit(raw: str, **changes: Any) -> str:
    """The JSON record with some fields replaced or dropped; `line` changes fields of the first of its lines."""
    record = json.loads(raw)
    record.get("lines", [{}])[0].update(changes.pop("line", {}))
    record.update(changes)
    return json.dumps({name: value for name, value in record.items() if value is not DROP}, ensure_ascii=False)


def broken_json(kind: str, raw: str, turn: int) -> Record:
    """A line that is no JSON object: cut off in the middle, or another kind of value."""
    if kind == "truncated":
        return raw[: len(raw) * 3 // 5], "malformed_json", None
    return NOT_OBJECTS[turn % len(NOT_OBJECTS)], "not_a_json_object", None


@dataclass(frozen=True)
class Product:
    """A product of the catalogue; `offers` are ways to write its price: (text, price in 1/10000)."""

    id: str
    name: str
    category: str
    cents: int
    offers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Plan:
    """The settings that determine every byte."""

    seed: int
    days: int
    start: date
    events: int

    @cached_property
    def customers(self) -> int:
        """How many customers there are once all have joined."""
        return max(20, self.events // 15)

    @cached_property
    def products(self) -> list[Product]:
        """The catalogue."""
        colours = ["White", "Red", "Vintage", "Large", "Crème", "Set of 3"]
        things = ["Lantern", "Mug, glazed", "Cushion", 'Frame 6"', "Lunch Box", "Teapot", "Wall Clock", "Garden Sign"]
        categories = ["Home", "Kitchen", "Garden", "Gifts & Cards"]
        found = []
        for n in range(min(500, max(40, self.events // 50))):
            dice = mix(self.seed, 11, n)
            cents = 100 * (dice % 30 + 1) if n % 3 == 0 else dice % 2500 + 15
            exact = f"{cents // 100}.{cents % 100:02d}"
            name = f"{colours[n % 6]} {things[dice // 7 % 8]} {n}"
            offers = ((exact, cents * 100),) * 7 + ((exact + "5", cents * 100 + 50),)
            product_id = f"{20000 + n}{'B' if n % 4 == 1 else ''}"
            found.append(Product(product_id, name, categories[dice // 60 % 4], cents, offers))
        return found

    def iso(self, day: int) -> str:
        """The day's date, ISO."""
        return (self.start + timedelta(day)).isoformat()

    def share(self, total: int, day: int) -> range:
        """The numbers of the records that fall on the day, of so many in all."""
        return range(total * day // self.days, total * (day + 1) // self.days)

    def joined(self, day: int) -> int:
        """How many customers joined before the day."""
        half = self.customers // 2
        return half + half * day // self.days if day else 0

    def home(self, customer: int) -> str:
        """The country a customer lives in."""
        return HOMES[mix(self.seed, 12, customer) % len(HOMES)]


# --------------------------------------------------------------------------------------------------------- web events
def web_events(plan: Plan, day: int) -> Iterator[Record]:
    """The events that the day itself brings; facts: (event_id, user_id, event_type, event_at)."""
    today, numbers = plan.iso(day), plan.share(plan.events, day)
    users, products = plan.customers * 11 // 10, [product.id for product in plan.products]
    rnd = Random(mix(plan.seed, 1, day)).random
    shape = [
        *[("page_view", "/")] * 35, *[("page_view", "/about")] * 10, *[("product_view", "")] * 25,
        *[("search", "/search?q=gift")] * 12, *[("add_to_cart", "")] * 10, *[("checkout", "/checkout")] * 5,
        *[("purchase", "")] * 3,
    ]  # fmt: skip
    page_name = "page_url" if day >= 2 * plan.days // 3 else "page"
    referrers = ["null", "null", '"https://search.example"', '"https://mail.example/täglich"']
    systems = [""] * 6
    if day >= plan.days // 2:
        pairs = [(system, browser) for system in ("iOS", "Android", "Windows") for browser in ("Safari", "Firefox")]
        systems = [f', "device": {{"os": "{system}", "browser": "{browser}"}}' for system, browser in pairs]
    for number in numbers:
        kind, page = shape[int(rnd() * 100)]
        user = str(FIRST_CUSTOMER + int(rnd() * rnd() * users))
        second = (number - numbers.start) * 86400 // len(numbers) + int(rnd() * 7200)  # so order is broken within hours
        at = f"{today} {CLOCK[second if second < 86400 else 86399]}"
        product = "null"
        if not page:
            product_id = products[int(rnd() * len(products))]
            page, product = f"/product/{product_id}", f'"{product_id}"'
        dice = int(rnd() * 24)
        event = f"e{number:09d}"
        raw = (
            f'{{"event_id": "{event}", "user_id": "{user}", "event_type": "{kind}", "raw_time": "{at}", '
            f'"{page_name}": "{page}", "product_id": {product}, "session": {{"session_id": "s{day}-{user}-{dice % 3}", '
            f'"referrer": {referrers[dice % 4]}}}{systems[dice // 4]}}}'
        )
        facts = (event, user, kind, at)
        if number % 13:
            yield raw, "", facts
        else:
            yield from dirty_event(plan, number // 13 + plan.seed, day, raw, facts)


def dirty_event(plan: Plan, turn: int, day: int, raw: str, facts: tuple) -> Iterator[Record]:
    """The event with the dirt whose turn it is."""
    kind = EVENT_DIRT[turn % len(EVENT_DIRT)]
    event, user, event_type, at = facts
    if not isinstance(kind, str):
        yield edit(raw, **kind[0]), kind[1], None
    elif kind in BROKEN_JSON:
        yield broken_json(kind, raw, turn // len(EVENT_DIRT))
    elif kind == "number_id":
        yield edit(raw, user_id=int(user)), "", facts
    elif kind == "late":
        at = plan.iso(day - 1 - turn % 5) + at[10:]
        yield edit(raw, raw_time=at), "", (event, user, event_type, at)
    elif kind == "duplicate":
        yield from [(raw, "", facts)] * 2
    else:  # the same id again with another content: later, earlier (so it must lose) or at the same time
        at = at[:11] + {"resent": "23:59:59", "resent_earlier": "00:00:00"}.get(kind, at[11:])
        other = "search" if event_type == "page_view" else "page_view"
        yield raw, "", facts
        yield edit(raw, event_type=other, raw_time=at), "", (event, user, other, at)


def web_file(plan: Plan, day: int) -> Iterator[Record]:
    """A day's file: repeats of yesterday's records, some moved past midnight, then the day's own."""
    numbers = plan.share(plan.events, day)
    yesterday = web_events(plan, day - 1) if day else iter(())
    for n, (raw, verdict, facts) in enumerate(islice(yesterday, max(9, len(numbers) // 50))):
        if n % 3 == 1:
            yield raw, verdict, facts
        elif n % 3 == 0 and not verdict:
            event, user, event_type, at = facts
            at = f"{plan.iso(day)} 00:{n % 60:02d}:07"
            yield edit(raw, raw_time=at), "", (event, user, event_type, at)
    yield from web_events(plan, day)


# ------------------------------------------------------------------------------------------------------------- orders
def order_lines(plan: Plan, day: int) -> Iterator[tuple[tuple, str, Any]]:
    """The day's own lines as eight CSV fields, verdict, and the same eight as facts (the price in 1/10000)."""
    today, numbers = plan.iso(day), plan.share(plan.events // 2, day)
    customers, products = plan.joined(day + 1) * 11 // 10, plan.products
    names = [(product, product.name.upper(), cell(product.name.upper())) for product in products]
    rnd = Random(mix(plan.seed, 2, day)).random
    first = numbers.start  # of an invoice
    while first < numbers.stop:
        cancelled, customer = rnd() < 0.06, int(rnd() * rnd() * customers)
        invoice = f"{'C' if cancelled else ''}{500000 + first}"
        size = 1 if cancelled else 1 + int(rnd() * 8)
        at = f"{today} {CLOCK[28800 + int(rnd() * 36000)]}"
        country = plan.home(customer)
        guest = rnd() < 0.15
        customer_id = None if guest else str(FIRST_CUSTOMER + customer)
        written = "" if guest else customer_id + (".0" if first % 3 else "")
        for number in range(first, min(first + size, numbers.stop)):
            quantity = -1 - int(rnd() * 5) if cancelled else 1 + int(rnd() * rnd() * 36)
            product, name, field = names[int(rnd() * len(names))]
            stock, (text, price) = product.id, product.offers[int(rnd() * 8)]
            if number % 37 == 5:
                stock, name, field = ("POST", "POSTAGE", "POSTAGE") if number % 2 else ("M", "Manual", "Manual")
            cells = (invoice, stock, field, str(quantity), at, text, written, country)
            facts = (invoice, stock, name, quantity, at, price, customer_id, country)
            if number % 11:
                yield cells, "", facts
            else:
                yield from dirty_line(plan, number // 11 + plan.seed, day, cells, facts)
        first += size


def dirty_line(plan: Plan, turn: int, day: int, cells: tuple, facts: tuple) -> Iterator[tuple[tuple, str, Any]]:
    """The order line with the dirt whose turn it is."""
    kind = ORDER_DIRT[turn % len(ORDER_DIRT)]
    texts = {
        "comma": "LANTERN, WHITE, LARGE", "quotes": 'SIGN "HOME, SWEET HOME"', "line_break": "CUSHION\nCOVER, RED",
        "unicode": "CAFÉ TÜR ☕ 灯笼", "spaces": "  HEART OF  WICKER ",
    }  # fmt: skip
    if not isinstance(kind, str):
        yield put(cells, kind[0]), kind[1], None
    elif kind == "few_fields":
        yield cells, "too_few_fields", None
    elif kind == "many_fields":
        yield cells, "too_many_fields", None
    elif kind == "duplicate":
        yield from [(cells, "", facts)] * 2
    elif kind == "written_otherwise":  # other text, equal once typed
        customer = cells[CUSTOMER]
        customer = customer.removesuffix(".0") if customer.endswith(".0") else customer and customer + ".0"
        yield cells, "", facts
        yield put(cells, {CUSTOMER: customer, PRICE: cells[PRICE] + "0"}), "", facts
    elif kind == "late":
        change = {DATE: plan.iso(day - 1 - turn % 5) + cells[DATE][10:]}
        yield put(cells, change), "", put(facts, change)
    elif kind == "edge_of_bounds":  # just inside, so good; they cancel each other out
        for quantity, text, price in (100000, "0.0001", 1), (1, "50000", 500_000_000), (2, "0", 0):
            for signed in (quantity, -quantity):
                yield put(cells, {QUANTITY: str(signed), PRICE: text}), "", put(facts, {QUANTITY: signed, PRICE: price})
    elif kind in texts:
        yield put(cells, {TEXT: cell(texts[kind])}), "", put(facts, {TEXT: texts[kind]})
    else:
        country = "Atlantis" if kind == "unknown_country" else ""
        yield put(cells, {COUNTRY: country}), "", put(facts, {COUNTRY: country or None})


def order_columns(day: int) -> list[str]:
    """The header of a day's file."""
    first, rest = ORDER_COLUMNS[:3], ORDER_COLUMNS[3:]
    layouts = {1: [*reversed(rest), *first], 2: [*first, "Channel", *rest], 3: [*first[:2], *rest]}
    return layouts.get(day % 10, ORDER_COLUMNS)


def order_file(plan: Plan, day: int) -> Iterator[Record]:
    """A day's file: some of yesterday's lines again, then the day's own."""
    columns = order_columns(day)
    places = [[*ORDER_COLUMNS, "Channel"].index(column) for column in columns]
    repeated: Iterable = ()
    # A line without its description is no exact duplicate of the same line with it: repeat none there.
    if day and day % 10 not in (3, 4):
        repeated = islice(order_lines(plan, day - 1), max(4, len(plan.share(plan.events // 2, day)) // 60))
    for cells, verdict, facts in chain(repeated, order_lines(plan, day)):
        if columns is not ORDER_COLUMNS:
            wide = (*cells, "phone")
            cells = tuple(wide[place] for place in places)
            if facts and "Description" not in columns:
                facts = put(facts, {TEXT: None})
        if verdict == "too_few_fields":
            cells = cells[:-2]
        yield ",".join(cells) + (",surplus" if verdict == "too_many_fields" else ""), verdict, facts
    if day % 10 == 8:
        yield "", "", None


# -------------------------------------------------------------------------------------------------------- marketplace
def market_order(plan: Plan, day: int, number: int) -> dict[str, Any]:
    """An order as first placed; the facts of a marketplace record are such a dict."""
    rnd = Random(mix(plan.seed, 3, number)).random
    products = plan.products
    lines = []
    for n in range(1 + int(rnd() * 4) + (number % 2)):
        product = products[int(rnd() * len(products))]
        cents = product.cents if rnd() < 0.7 else product.cents + int(rnd() * 100)
        lines.append({"no": n + 1, "sku": product.id, "qty": 1 + int(rnd() * 9), "price": cents / 100})
    return {
        "id": f"M{number:08d}",
        "rev": 1,
        "placed_at": f"{plan.iso(day)}T{CLOCK[int(rnd() * 86400)]}Z",
        "currency": "EUR" if rnd() < 0.6 else "USD",
        "buyer": {"ref": f"b{int(rnd() * plan.customers)}", "country": HOMES[int(rnd() * len(HOMES))]},
        "lines": lines,
    }


def market_record(order: dict[str, Any]) -> Record:
    """A good record."""
    return json.dumps(order), "", order


def revised(order: dict[str, Any], rev: int, more: int = 0, **changes: Any) -> dict[str, Any]:
    """The order as a later revision: quantities raised, or whole fields changed."""
    lines = [{**line, "qty": line["qty"] + more} for line in order["lines"]]
    return {**order, "rev": rev, "lines": lines, **changes}


def market_file(plan: Plan, day: int) -> Iterator[Record]:
    """A day's file: revisions and repeats of the last two days' orders, then the day's own."""
    for ago in (1, 2):
        numbers = plan.share(plan.events // 20, day - ago) if day >= ago else range(0)
        for number in numbers[: max(3, len(numbers) // 10)]:
            order = market_order(plan, day - ago, number)
            case = (number + plan.seed) % 7
            if ago == 2 and case == 0:  # older than the revision 3 that came yesterday
                yield market_record(revised(order, 2, more=5))
            elif ago == 1 and case < 6:
                yield market_record([
                    revised(order, 3, more=2),
                    revised(order, 2, more=1),
                    revised(order, 2, lines=order["lines"][1:] or order["lines"]),
                    revised(order, 2),
                    revised(order, 2, placed_at=f"{plan.iso(day)}T00:00:01Z"),
                    order,
                ][case])  # fmt: skip
    for number in plan.share(plan.events // 20, day):
        order = market_order(plan, day, number)
        if number % 4:
            yield market_record(order)
        else:
            yield from dirty_market_order(plan, number // 4 + plan.seed, day, order)


def dirty_market_order(plan: Plan, turn: int, day: int, order: dict[str, Any]) -> Iterator[Record]:
    """The order with the dirt whose turn it is."""
    kind = MARKET_DIRT[turn % len(MARKET_DIRT)]
    raw, verdict, _ = record = market_record(order)
    if not isinstance(kind, str):
        yield edit(raw, **kind[0]), kind[1], None
    elif kind in BROKEN_JSON:
        yield broken_json(kind, raw, turn // len(MARKET_DIRT))
    elif kind == "duplicate":
        yield from [record] * 2
    elif kind == "same_revision":  # the greater md5 wins
        yield record
        yield market_record(revised(order, 1, more=3))
    elif kind == "blank":
        yield from [("", "", None), record]
    elif kind == "late":
        yield market_record({**order, "placed_at": plan.iso(day - 1 - turn % 5) + order["placed_at"][10:]})
    elif kind == "pounds":
        yield market_record({**order, "currency": "GBP"})
    else:  # numbers written as text
        lines = [{**line, "qty": str(line["qty"]), "price": f"{line['price']:.2f}"} for line in order["lines"]]
        yield edit(raw, rev="1", lines=lines), verdict, order


# ---------------------------------------------------------------------------------------------------------- customers
def customer_change(plan: Plan, day: int, customer: int, stale: bool = False) -> Record | None:
    """What changes for a customer on a day; `stale`: an update that happened an hour earlier.

    Facts: (customer_id, sequence, operation, status, email, country, updated_at).
    """
    dice = mix(plan.seed, 4, day, customer, stale)
    operation = "update"
    if customer >= plan.joined(day):
        operation = "insert"
    elif (customer + plan.seed) % 11 == 3 and not stale:
        returns = (customer + plan.seed) % 22 == 3
        operation = ("delete", "insert" if returns else "", "update" if returns else "")[day // 10 % 3]
    if not operation:
        return None
    second = 21600 + mix(plan.seed, 5, day, customer) % 60000 - 3600 * stale
    at, sequence = f"{plan.iso(day)} {CLOCK[second]}", (day + 1) * 100_000_000 + 2 * customer - stale
    customer_id = str(FIRST_CUSTOMER + customer)
    head = f'{{"operation": "{operation}", "sequence": {sequence}, "customer_id": "{customer_id}", '
    if operation == "delete":
        extra = '"status": "gone", ' if dice % 2 else ""  # a delete's status is not judged
        return f'{head}{extra}"updated_at": "{at}"}}', "", (customer_id, sequence, operation, None, None, None, at)
    status = ("active", "active", "active", "inactive", "closed", "active")[dice % 6]
    email = f"customer{customer}.{day}{'.old' if stale else ''}@mail.example"
    country = plan.home(customer) if dice // 6 % 8 else HOMES[dice // 48 % len(HOMES)]
    raw = f'{head}"status": "{status}", "email": "{email}", "country": "{country}", "updated_at": "{at}"}}'
    return raw, "", (customer_id, sequence, operation, status, email, country, at)


def customers_of(plan: Plan, day: int) -> Iterable[int]:
    """The customers with a change on the day: every tenth of the known ones, and those who join."""
    return chain(range(day % 10, plan.joined(day), 10), range(plan.joined(day), plan.joined(day + 1)))


def customer_file(plan: Plan, day: int) -> Iterator[Record]:
    """A day's file: the day's changes, then some of yesterday's again and some that yesterday's overtook."""
    slot = 0
    for n, customer in enumerate(customers_of(plan, day)):
        record = customer_change(plan, day, customer)
        if record and n % 8 == 2:
            yield from dirty_change(day * 9 + slot + plan.seed, record)
            slot += 1
        elif record:
            yield record
    for customer in customers_of(plan, day - 1) if day else ():
        record = customer_change(plan, day - 1, customer)
        dice = mix(plan.seed, 6, day, customer)
        if record and (record[2][2] == "delete" or dice % 9 == 0):
            stale = customer_change(plan, day - 1, customer, stale=True)
            if stale and stale[2][2] != "insert":
                yield stale
        elif record and dice % 9 == 1:
            yield record


def dirty_change(turn: int, record: Record) -> Iterator[Record]:
    """The change with the dirt whose turn it is."""
    kind = CUSTOMER_DIRT[turn % len(CUSTOMER_DIRT)]
    raw, verdict, facts = record
    customer_id, sequence, operation, _, email, country, at = facts
    if not isinstance(kind, str):
        yield edit(raw, **kind[0]), kind[1], None
    elif kind in BROKEN_JSON:
        yield broken_json(kind, raw, turn // len(CUSTOMER_DIRT))
    elif kind == "number_id":
        yield edit(raw, customer_id=int(customer_id), sequence=str(sequence)), verdict, facts
    elif kind == "duplicate" or operation == "delete":
        yield from [record] * 2
    else:  # the same sequence with another content: the greater md5 wins
        yield record
        facts = (customer_id, sequence, operation, "inactive", f"other.{email}", country, at)
        yield edit(raw, status="inactive", email=f"other.{email}"), "", facts


# ----------------------------------------------------------------------------------------------------------- products
def product_file(plan: Plan, day: int) -> Iterator[Record]:
    """A day's full extract; facts: (product_id, name, category, price in 1/10000, extracted_at).

    Of a bad record that still tells which product was there, only the first and the last.
    """
    at = f"{plan.iso(day)} 04:00:00"
    rows = []
    for n, product in enumerate(plan.products):
        if n % 15 == 4 and day >= plan.days // 2 + n % 4:
            continue  # no longer sold
        cents = product.cents + 5 * ((day + n) // 9)
        price = f"{cents // 100}.{cents % 100:02d}"
        cells = (product.id, cell(product.name), product.category, price, at)
        rows.append((cells, "", (product.id, product.name, product.category, cents * 100, at)))
    first, turn = mix(plan.seed, 7, day) % len(rows), 2 * day + plan.seed
    dirty = {first: PRODUCT_DIRT[turn % len(PRODUCT_DIRT)]}
    dirty[(first + 17) % len(rows)] = PRODUCT_DIRT[(turn + 1) % len(PRODUCT_DIRT)]
    columns = PRODUCT_COLUMNS_LATER if day >= plan.days // 3 else PRODUCT_COLUMNS
    places = [PRODUCT_COLUMNS.index(column) for column in columns]
    for n, (cells, verdict, facts) in enumerate(rows):
        kind = dirty.get(n, "")
        if not isinstance(kind, str):
            cells, verdict = put(cells, kind[0]), kind[1]
            facts = None if {0, 4} & kind[0].keys() else (cells[0], None, None, None, at)
        raw = ",".join(cells[place] for place in places)
        if kind == "two_prices":  # the greater md5 wins
            yield ",".join(put(cells, {3: "1.99"})[place] for place in places), "", put(facts, {3: 19900})
        if kind == "few_fields":
            yield raw.rsplit(",", 1)[0], "too_few_fields", None
        elif kind == "many_fields":
            yield f"{raw},surplus", "too_many_fields", None
        else:
            yield from [(raw, verdict, facts)] * (2 if kind == "duplicate" else 1)
    if "footer" in dirty.values():
        yield "-- end of extract --", "too_few_fields", None


# -------------------------------------------------------------------------------------------------------------- files
@dataclass
class LandingFile:
    """One file below the landing root; a name that ends in .gz is compressed."""

    name: str
    records: Iterable[Record] = ()
    head: str = ""
    line_end: str = "\n"

    @property
    def source(self) -> str:
        """The source whose folder it lies in."""
        return self.name.split("/")[0]


def day_files(plan: Plan, day: int) -> Iterator[LandingFile]:
    """All files that a day brings."""
    today = plan.iso(day)
    yield LandingFile(f"web_events/{today}.json", web_file(plan, day))
    name, head, form = f"orders/{today}.csv", ",".join(order_columns(day)), day % 10
    if form == 6:
        name = f"orders/{today[:4]}/{today[5:7]}/{today}.csv"
    elif form == 7:
        name += ".gz"
    elif form == 5:
        head = "\ufeff" + head
    yield LandingFile(name, order_file(plan, day), head, "\r\n" if form == 4 else "\n")
    if form == 8:
        yield LandingFile(f"orders/{today}_header_only.csv", head=",".join(ORDER_COLUMNS))
    elif form == 9:
        yield LandingFile(f"orders/{today}_empty.csv")
    yield LandingFile(f"marketplace_orders/{today}.json", market_file(plan, day))
    yield LandingFile(f"customers/{today}.json", customer_file(plan, day))
    yield product_extract(plan, day, f"products/{today}.csv")
    before = plan.days // 4
    if day == plan.days // 2 > before:  # a whole day is delivered again, under another name
        again = f"{today} resend of {plan.iso(before)}"
        yield LandingFile(f"web_events/{again}.json", web_file(plan, before))
        yield product_extract(plan, before, f"products/{again}.csv")


def product_extract(plan: Plan, day: int, name: str) -> LandingFile:
    """A day's product extract under some name."""
    columns = PRODUCT_COLUMNS_LATER if day >= plan.days // 3 else PRODUCT_COLUMNS
    return LandingFile(name, product_file(plan, day), ",".join(columns))


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open a file for writing that appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.tmp")
    try:
        with hidden.open("wb") as plain:
            # Neither time nor name in the gzip header: the same bytes each time.
            binary = gzip.GzipFile("", "wb", 6, plain, mtime=0) if path.suffix == ".gz" else plain
            with io.TextIOWrapper(binary, encoding="utf-8", newline="") as handle:
                yield handle
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


def lines_of(file: LandingFile, truth: Truth | None) -> Iterator[str]:
    """The file's text, record by record; the truth sees each one pass."""
    if file.head:
        yield file.head + file.line_end
    for record in file.records:
        if truth:
            truth.add(file.source, record)
        yield record[0] + file.line_end


# -------------------------------------------------------------------------------------------------------------- truth
def money(units: int | Decimal) -> str:
    """An amount in 1/10000 as text with four decimals."""
    return f"{Decimal(units).scaleb(-4):.4f}"


def read_seed(name: str) -> list[dict[str, str]]:
    """The rows of a dbt seed."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


class Truth:
    """Collects what the generator meant with each record, and works out the tables that must come of it.

    Money is kept in whole 1/10000 of a pound: exact, and what revenue is rounded to.
    """

    # Per source: the key that silver keeps once, and the rank by which a record wins it.
    ranked: ClassVar[dict[str, Callable[[Any, bytes], tuple[Any, Any]]]] = {
        "web_events": lambda facts, md5: (facts[0], (facts[3], md5)),
        "orders": lambda facts, md5: (facts, ()),
        "marketplace_orders": lambda facts, md5: (facts["id"], (facts["rev"], md5)),
        "customers": lambda facts, md5: (facts[:2], md5),
        "products": lambda facts, md5: ((facts[0], facts[4]), md5),
    }

    def __init__(self) -> None:
        self.bronze = {source: {"rows": 0, "unreadable": 0} for source in SOURCES}
        self.quarantine: dict[str, Counter[str]] = {source: Counter() for source in SOURCES}
        self.kept: dict[str, dict[Any, tuple[Any, Any]]] = {source: {} for source in SOURCES}
        self.extracts: dict[str, set[str]] = defaultdict(set)

    def add(self, source: str, record: Record) -> None:
        """Take in one landed record."""
        raw, verdict, facts = record
        if not raw:
            return
        self.bronze[source]["rows"] += 1
        if source == "products" and facts:
            self.extracts[facts[4]].add(facts[0])
        if verdict:
            self.bronze[source]["unreadable"] += verdict in UNREADABLE
            self.quarantine[source][verdict] += 1
            return
        key, rank = self.ranked[source](facts, hashlib.md5(raw.encode()).digest())
        kept = self.kept[source]
        if key not in kept or rank > kept[key][0]:
            kept[key] = (rank, facts)

    def winners(self, source: str) -> list[Any]:
        """The facts of the records that reach silver."""
        return [facts for _, facts in self.kept[source].values()]

    def report(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The content of truth.json."""
        silver: dict[str, dict[str, Any]] = {}
        gold: dict[str, tuple[str, list[list[Any]]]] = {}
        self.web_tables(silver, gold)
        self.sales_tables(silver, gold)
        self.customer_tables(silver, gold)
        self.product_tables(silver, gold)
        return {
            "settings": settings,
            "bronze": self.bronze,
            "quarantine": {source: dict(sorted(counts.items())) for source, counts in self.quarantine.items()},
            "silver": silver,
            "gold": {name: {"columns": names.split(), "rows": sorted(rows)} for name, (names, rows) in gold.items()},
        }

    def web_tables(self, silver: dict, gold: dict) -> None:
        """Activity of users and the funnel of days."""
        activity: dict[tuple, Counter[str]] = defaultdict(Counter)
        funnel: dict[str, dict[str, set]] = defaultdict(lambda: defaultdict(set))
        events = self.winners("web_events")
        for _, user, kind, at in events:
            activity[user, at[:10]][kind] += 1
            funnel[at[:10]][kind].add(user)
            funnel[at[:10]]["any"].add(user)
        silver["silver_web_events"] = {"rows": len(events), "purchases": sum(e[2] == "purchase" for e in events)}
        kinds = ["page_view", "product_view", "search", "add_to_cart", "checkout", "purchase"]
        gold["daily_user_activity"] = (
            "user_id activity_date event_count page_view_count product_view_count search_count add_to_cart_count "
            "checkout_count purchase_count",
            [[*key, counts.total(), *(counts[kind] for kind in kinds)] for key, counts in activity.items()],
        )
        rows = []
        for day, users in funnel.items():
            steps = [len(users[kind]) for kind in ("any", "product_view", "add_to_cart", "checkout", "purchase")]
            rate = (Decimal(steps[-1]) / steps[0]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
            rows.append([day, *steps, str(rate)])
        gold["conversion_funnel"] = (
            "activity_date visitor_count product_viewer_count cart_user_count checkout_user_count buyer_count "
            "conversion_rate",
            rows,
        )

    def sales_tables(self, silver: dict, gold: dict) -> None:
        """Everything about revenue."""
        regions = {row["country"]: row["region"] for row in read_seed("countries")}
        rates = {(r["currency"], r["rate_date"]): Decimal(r["gbp_per_unit"]) for r in read_seed("exchange_rates")}
        products: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
        places: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        days: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])  # shop revenue, marketplace revenue, units
        placed: dict[str, set[str]] = defaultdict(set)
        buyers: dict[str, list[tuple]] = defaultdict(list)
        lines, orders = self.winners("orders"), self.winners("marketplace_orders")
        for line in lines:
            invoice, stock, _, quantity, at, price, customer, country = line
            day, revenue = at[:10], quantity * price
            place = (day[:8] + "01", regions.get(country, "Unknown"), country or "Unknown")
            for sums, amounts in (
                (products[day, stock], (quantity, revenue, 1)),
                (places[place], (quantity, revenue, 1, customer is None)),
                (days[day], (revenue, 0, quantity)),
            ):
                sums[:] = [total + amount for total, amount in zip(sums, amounts, strict=True)]
            if not invoice.startswith("C"):
                placed[day].add(invoice)
            if customer is not None:
                buyers[customer].append(line)
        for order in orders:
            day = order["placed_at"][:10]
            rate = 1 if order["currency"] == "GBP" else rate_on(rates, order["currency"], day)
            for line in order["lines"]:
                exact = line["qty"] * Decimal(str(line["price"])) * rate
                days[day][1] += int(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP).scaleb(4))
                days[day][2] += line["qty"]
            placed[day].add(order["id"])
        silver["silver_order_lines"] = {
            "rows": len(lines),
            "units": sum(line[3] for line in lines),
            "net_amount": money(sum(line[3] * line[5] for line in lines)),
            "guests": sum(line[6] is None for line in lines),
            "cancellations": sum(line[0].startswith("C") for line in lines),
        }
        silver["silver_marketplace_orders"] = {
            "rows": len(orders),
            "lines": sum(len(order["lines"]) for order in orders),
            "units": sum(line["qty"] for order in orders for line in order["lines"]),
        }
        gold["daily_sales_by_product"] = (
            "sales_date product_id units net_revenue order_line_count",
            [[*key, units, money(revenue), count] for key, (units, revenue, count) in products.items()],
        )
        gold["sales_by_region"] = (
            "sales_month region country units net_revenue order_line_count guest_line_count",
            [[*key, units, money(revenue), *counts] for key, (units, revenue, *counts) in places.items()],
        )
        gold["customer_lifetime_value"] = (
            "customer_id order_count units net_revenue first_order_date last_order_date",
            [
                [
                    customer,
                    len({line[0] for line in bought if not line[0].startswith("C")}),
                    sum(line[3] for line in bought),
                    money(sum(line[3] * line[5] for line in bought)),
                    min(line[4] for line in bought)[:10],
                    max(line[4] for line in bought)[:10],
                ]
                for customer, bought in buyers.items()
            ],
        )
        gold["daily_global_sales"] = (
            "sales_date shop_revenue marketplace_revenue net_revenue units order_count",
            [
                [day, money(shop), money(market), money(shop + market), units, len(placed[day])]
                for day, (shop, market, units) in days.items()
            ],
        )

    def customer_tables(self, silver: dict, gold: dict) -> None:
        """Customers, as they are and as they were."""
        changes = sorted(self.winners("customers"))
        history: dict[str, list[tuple]] = defaultdict(list)
        for change in changes:
            history[change[0]].append(change)
        states = [past[-1] for past in history.values() if past[-1][2] != "delete"]
        seen: dict[str, list[str]] = defaultdict(list)
        for _, user, _, at in self.winners("web_events"):
            seen[user].append(at[:10])
        silver["silver_customer_changes"] = {"rows": len(changes), "deletes": sum(c[2] == "delete" for c in changes)}
        silver["silver_customers"] = {"rows": len(states), "active": sum(state[3] == "active" for state in states)}
        rows: list[list[Any]] = []
        for customer, _, _, status, _, country, _ in states:
            if status == "active":
                dates = seen[customer]
                spread = [min(dates), max(dates)] if dates else [None, None]
                rows.append([customer, country, len(dates), len(set(dates)), *spread])
        gold["fct_active_users"] = (
            "user_id country event_count active_days first_activity_date last_activity_date",
            rows,
        )
        versions = []
        for past in history.values():
            for change, following in zip(past, [*past[1:], None], strict=True):
                customer, sequence, operation, status, email, country, at = change
                if operation != "delete":
                    end = following and following[6]
                    masked = f"{email[0]}***{email[email.index('@') :]}"
                    versions.append([customer, sequence, status, masked, country, at, end, following is None])
        gold["dim_customers"] = (
            "customer_id sequence status email country valid_from valid_to is_current",
            versions,
        )

    def product_tables(self, silver: dict, gold: dict) -> None:
        """Products, as they are and as they were: extract by extract, what each said of those that it held."""
        listings = {(facts[4], facts[0]): facts for facts in self.winners("products")}
        extracts = sorted(self.extracts)
        latest: dict[str, tuple] = {}
        versions: dict[str, list[list[Any]]] = defaultdict(list)
        for extract, following in zip(extracts, [*extracts[1:], None], strict=True):
            for product in self.extracts[extract]:
                latest[product] = listings.get((extract, product), latest.get(product))
                if not latest[product]:
                    continue  # none of its records was good so far
                past, says = versions[product], [*latest[product][:3], money(latest[product][3])]
                if past and past[-1][:4] == says and past[-1][5] == extract:
                    past[-1][5:] = [following, following is None]
                else:
                    past.append([*says, extract, following, following is None])
        silver["silver_product_listings"] = {"rows": len(listings)}
        silver["silver_product_sightings"] = {"rows": sum(map(len, self.extracts.values()))}
        silver["silver_products"] = {"rows": len(versions)}
        gold["product_history"] = (
            "product_id name category list_price valid_from valid_to is_current",
            [version for past in versions.values() for version in past],
        )
        active = self.extracts[extracts[-1]] if extracts else set()
        gold["dim_products"] = (
            "product_id name category list_price extracted_at is_active",
            [[*p[:3], money(p[3]), p[4], p[0] in active] for p in filter(None, latest.values())],
        )


def rate_on(rates: dict[tuple[str, str], Decimal], currency: str, day: str) -> Decimal:
    """The currency's rate of that day, or the last one at most seven days back."""
    for back in range(8):
        found = rates.get((currency, (date.fromisoformat(day) - timedelta(back)).isoformat()))
        if found is not None:
            return found
    raise ValueError(f"seeds/exchange_rates.csv has no rate for {currency} on {day} or in the seven days before")


# ---------------------------------------------------------------------------------------------------------- the command
def generate(
    out: Path | str,
    seed: int = 7,
    days: int = 30,
    start: date = date(2026, 1, 1),
    events: int = 3000,
    from_day: int = 0,
    to_day: int | None = None,
    truth: bool = True,
) -> int:
    """Write the files of the days [from_day, to_day) below `out`, and the truth of [0, to_day); return the count."""
    to_day = days if to_day is None else to_day
    if days < 1 or events < days:
        raise ValueError("At least one day, and one event a day, are needed.")
    if not 0 <= from_day <= to_day <= days:
        raise ValueError(f"Days count from 0: 0 <= from-day <= to-day <= {days} is needed.")
    covered = sorted(row["rate_date"] for row in read_seed("exchange_rates"))
    if (start - timedelta(5)).isoformat() < covered[0] or (start + timedelta(days - 1)).isoformat() > covered[-1]:
        raise ValueError(f"Exchange rates: {covered[0]} to {covered[-1]} only, and late records go five days back.")
    plan, root, written = Plan(seed, days, start, events), Path(out), 0
    judge = Truth() if truth else None
    for day in range(0 if judge else from_day, to_day):
        for file in day_files(plan, day):
            lines = lines_of(file, judge)
            if day < from_day:
                deque(lines, maxlen=0)  # an earlier day: only its truth is needed
                continue
            with atomic_text(root / file.name) as handle:
                handle.writelines(lines)
            written += 1
    if judge:
        settings = {"seed": seed, "days": days, "start": start.isoformat(), "events": events, "to_day": to_day}
        with atomic_text(root / "truth.json") as handle:
            json.dump(judge.report({**settings, "reporting_currency": "GBP"}), handle, ensure_ascii=False)
    return written


@click.command(context_settings={"show_default": True})
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Landing root.")
@click.option("--seed", default=7, help="Another seed, another business.")
@click.option("--days", default=30, help="Days over which the events are spread.")
@click.option("--start", default="2026-01-01", type=click.DateTime(["%Y-%m-%d"]), help="Date of day 0.")
@click.option("--events", default=3000, help="Web events over all days; the other sources follow in proportion.")
@click.option("--from-day", default=0, help="First day to write.")
@click.option("--to-day", type=int, help="Day to stop before; left out: --days.")
@click.option("--truth/--no-truth", default=True, help="Whether to write truth.json.")
def main(start: Any, **settings: Any) -> None:
    """Write demo landing files with known dirt, and truth.json: what the pipeline must make of them.

    \b
    All at once:        python scripts/generate.py --out .lake/landing
    One day more:       python scripts/generate.py --out .lake/landing --from-day 20 --to-day 21
    A million events:   python scripts/generate.py --out /tmp/big --events 1000000 --no-truth
    """
    try:
        files = generate(start=start.date(), **settings)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"Wrote {files} landing files to {settings['out']}.")


if __name__ == "__main__":
    main()
