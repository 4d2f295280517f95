"""Generated histories of all five feeds, the orders in which they may arrive, and what must come of them.

A history is a handful of records about one customer, one web event, one marketplace order, two invoices and one
product: versions of each, repeated, contradicting, out of order, some of them bad. Hypothesis draws them (`histories`).
`truth` is the oracle: it says in plain Python, from the set of the records alone, which rows the tables must hold. It
shares nothing with the models but the documented rules.

Many histories share one lake. Each arrival of a history has a tag of its own in all its keys, and days of its own as
far as there are enough, so that no other one hides that a key or day was forgotten.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

BUILDS = 4
FILES = 2  # of a source and build
ARRIVALS = 4  # of a history
HEADERS = {
    "orders": "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
    "products": "product_id,name,category,list_price,extracted_at",
}
# What breaks exactly this rule of a source: other fields, or (text) another text.
BROKEN: dict[str, dict[str, Any]] = {
    "customers": {
        "customer_id_present": {"customer_id": " "},
        "operation_known": {"operation": "upsert", "status": "active"},
        "sequence_valid": {"sequence": "first"},
        "updated_at_valid": {"updated_at": "2026-02-30 08:00:00"},
        "updated_at_plausible": {"updated_at": "9999-12-31 00:00:00"},
        "status_known": {"operation": "update", "status": "gone"},
        "malformed_json": lambda text: text[:-1],
    },
    "web_events": {
        "event_id_present": {"event_id": ""},
        "user_id_present": {"user_id": "None"},
        "event_time_valid": {"raw_time": "yesterday"},
        "event_time_plausible": {"raw_time": "1999-12-31 23:59:59"},
        "event_type_known": {"event_type": "teleport"},
        "not_a_json_object": lambda text: f"[{text}]",
    },
    "marketplace_orders": {
        "order_id_present": {"id": None},
        "revision_valid": {"rev": "two"},
        "placed_at_valid": {"placed_at": "2026-01-05"},
        "placed_at_plausible": {"placed_at": "2100-01-01T00:00:00Z"},
        "currency_known": {"currency": "CHF"},
        "lines_present": {"lines": None},
        "line_quantities_valid": {"lines": [{"no": 1, "sku": "a", "qty": 0.5, "price": "1"}]},
        "line_prices_valid": {"lines": [{"no": 1, "sku": "a", "qty": 1, "price": "-1"}]},
    },
    "orders": {
        "invoice_no_present": {"InvoiceNo": ""},
        "stock_code_present": {"StockCode": "\u00a0"},
        "quantity_valid": {"Quantity": "six"},
        "quantity_not_zero": {"Quantity": "0"},
        "quantity_within_bounds": {"Quantity": "100001"},
        "unit_price_valid": {"UnitPrice": "1.00001"},
        "unit_price_not_negative": {"UnitPrice": "-1"},
        "unit_price_within_bounds": {"UnitPrice": "50000.01"},
        "invoice_date_valid": {"InvoiceDate": "13/01/2026 08:26"},
        "invoice_date_plausible": {"InvoiceDate": "12/31/1999 8:26"},
        "customer_id_valid": {"CustomerID": "17850.5"},
        "too_few_fields": lambda text: text.rsplit(",", 1)[0],
        "too_many_fields": lambda text: text + ",more",
    },
    "products": {
        "product_id_present": {"product_id": ""},
        "name_present": {"name": ""},
        "list_price_valid": {"list_price": "cheap"},
        "list_price_not_negative": {"list_price": "-1"},
        "extracted_at_valid": {"extracted_at": "soon"},
        "extracted_at_plausible": {"extracted_at": "2100-01-01 00:00:00"},
    },
}


@dataclass(frozen=True)
class Record:
    """One landed record: its text, and what it says, typed as silver has it, or the rule that it breaks."""

    source: str
    text: str
    says: dict[str, Any]
    rule: str | None

    @property
    def hash(self) -> str:
        return hashlib.md5(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class History:
    """What is told, as source and facts of each record, and the arrivals: the place of each as (build, file, rank)."""

    facts: list[tuple[str, dict[str, Any]]]
    arrivals: list[list[tuple[int, int, int]]]


@dataclass(frozen=True)
class Landed:
    """A record of a history in one of its arrivals."""

    history: int
    build: int
    file: int
    rank: int
    record: Record


def _facts(source: str, **fields: st.SearchStrategy) -> st.SearchStrategy:
    """Facts of one record; every fifth or so breaks a rule."""
    rules = list(BROKEN[source])
    return st.fixed_dictionaries(fields | {"broken": st.sampled_from([None] * 4 * len(rules) + rules)})


_money = st.sampled_from(["0", "0.0001", "1.25", "2.5501", "19.99"])
_quantity = st.sampled_from([1, 2, 7, -3])
_hour = st.integers(0, 23)
_short = st.integers(0, 2)
_written = st.integers(0, 3)  # one of the ways to write the same values
# Sequences and revisions have gaps, and text would order them otherwise.
FACTS = {
    "customers": _facts(
        "customers",
        sequence=st.sampled_from([1, 2, 3, 9, 10, 11]),
        late=st.sampled_from([0, 2, 4, 6]),  # hours; at the next change the clock may stand or go back
        operation=st.sampled_from(["insert", "update", "update", "delete"]),
        status=st.sampled_from(["active", "inactive", "closed"]),
        email=_short,
        written=_written,
    ),
    "web_events": _facts(
        "web_events",
        day=st.sampled_from([0, 1, 7, 26]),  # the last one is beyond the slack of the MERGE
        hour=st.sampled_from([9, 23]),
        user=st.integers(0, 1),
        event_type=st.sampled_from(["page_view", "product_view", "search", "add_to_cart", "checkout", "purchase"]),
        page=_short,
        is_renamed=st.booleans(),
    ),
    "marketplace_orders": _facts(
        "marketplace_orders",
        revision=st.sampled_from([1, 2, 9, 10]),
        day=_short,
        currency=st.sampled_from(["GBP", "EUR", "USD"]),
        lines=st.lists(st.tuples(_short, st.sampled_from([1, 2, 7, -3, 0]), _money), max_size=2),
        written=_written,
    ),
    "orders": _facts(
        "orders",
        invoice=st.integers(0, 1),
        is_cancellation=st.booleans(),
        product=_short,
        description=st.sampled_from(["LAMP", "CAFÉ LAMP, red", ""]),
        quantity=_quantity,
        price=_money,
        day=_short,
        hour=_hour,
        is_guest=st.booleans(),
        written=_written,
    ),
    # few different ones: a product often says the same in two extracts
    "products": _facts(
        "products",
        day=_short,
        name=st.sampled_from(["LAMP", "LAMP", "MUG"]),
        category=st.integers(0, 1),
        price=st.sampled_from(["0", "1.25"]),
    ),
}


@st.composite
def _histories(draw: st.DrawFn) -> History:
    facts = []
    for source, strategy in FACTS.items():
        facts += [(source, told) for told in draw(st.lists(strategy, min_size=1, max_size=5))]
    facts += draw(st.lists(st.sampled_from(facts), max_size=5))  # exact duplicates
    ranks = st.permutations(range(len(facts)))
    places = st.lists(
        st.tuples(st.integers(0, BUILDS - 1), st.integers(0, FILES - 1)), min_size=len(facts), max_size=len(facts)
    )
    arrivals = draw(st.lists(st.tuples(places, ranks), min_size=ARRIVALS, max_size=ARRIVALS, unique_by=repr))
    return History(
        facts,
        [[(*place, rank) for place, rank in zip(places, ranks, strict=True)] for places, ranks in arrivals],
    )


def histories(count: int, number: int) -> list[History]:
    """`count` different histories; the same ones for the same number."""
    drawn: list[History] = []

    @seed(number)
    @settings(
        max_examples=3 * count,  # hypothesis repeats itself
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_histories())
    def collect(history: History) -> None:
        if all(history.facts != other.facts for other in drawn):
            drawn.append(history)

    collect()
    assert len(drawn) >= count
    return drawn[:count]


def landed(drawn: list[History]) -> list[Landed]:
    """All arrivals of all histories, in the order of arrival."""
    found = []
    for number, history in enumerate(drawn):
        for arrival, places in enumerate(history.arrivals):
            slot = number * ARRIVALS + arrival
            for (source, facts), place in zip(history.facts, places, strict=True):
                record = _record(source, facts, f"h{number}a{arrival}", slot)
                found.append(Landed(number, *place, record))
    return sorted(found, key=lambda it: (it.build, it.file, it.rank))


def drop(lake: Any, records: Iterable[Landed], name: str) -> None:
    """Write records, in their order, into one landing file a source and file."""
    files = defaultdict(list)
    for it in records:
        files[it.record.source, it.file].append(it.record.text)
    for (source, file), lines in files.items():
        header = [HEADERS[source]] if source in HEADERS else []
        lake.drop_file(f"{source}/{name}-{file}.{'csv' if header else 'json'}", "\n".join(header + lines) + "\n")


def _record(source: str, facts: dict[str, Any], tag: str, slot: int) -> Record:
    fields, says = globals()[f"_{source}"](facts, tag, slot)
    change = BROKEN[source].get(facts["broken"], {})
    if not callable(change):
        fields |= change
    if source in HEADERS:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(fields.values())
        text = buffer.getvalue()
    else:
        text = json.dumps(fields)
    return Record(source, change(text) if callable(change) else text, says, facts["broken"])


def _day(first: date, slot: int, days: int, offset: int) -> str:
    """A day of the slot, which has `days` days of its own."""
    return str(first + timedelta(slot * days + offset))


def _sales_day(slot: int, offset: int) -> str:
    """A day of the year that has exchange rates: every 120th slot has the same."""
    return _day(date(2026, 1, 1), slot % 120, 3, offset)


def _text(text: str, written: int) -> str:
    """The same text: as it is, decomposed, or with other blanks around it."""
    return [text, f"\u00a0{text}\t", unicodedata.normalize("NFD", text), f" \u200b{text}\ufeff"][written]


def _number(number: int, written: int) -> Any:
    """The same number: as it is, as text, or as an export of floats writes it."""
    return [number, f" {number}", float(number), f"{number}.00\u00a0"][written]


def _amount(value: Any) -> str:
    return str(Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP) + 0)  # and no -0


def _customers(facts: dict[str, Any], tag: str, slot: int) -> tuple[dict, dict]:
    is_delete = facts["operation"] == "delete"
    says = {
        "customer_id": tag,
        "sequence": facts["sequence"],
        "operation": facts["operation"],
        "status": None if is_delete else facts["status"],
        "email": None if is_delete else f"{tag}-{facts['email']}@example.com",
        "country": "France",
        "updated_at": f"2026-01-05 {facts['sequence'] + facts['late']:02d}:00:00",
        "is_delete": is_delete,
    }
    fields = {name: value for name, value in says.items() if name != "is_delete"}
    if facts["written"]:
        fields |= {
            "sequence": _number(facts["sequence"], facts["written"]),
            "customer_id": _text(tag, facts["written"]),
        }
    return fields, says


def _web_events(facts: dict[str, Any], tag: str, slot: int) -> tuple[dict, dict]:
    says = {
        "event_id": f"{tag}-e",
        "user_id": f"{tag}-u{facts['user']}",
        "session_id": "s1",
        "product_id": None,
        "event_type": facts["event_type"],
        "page": f"/{facts['page']}",
        "referrer": None,
        "event_at": f"{_day(date(2001, 1, 1), slot, 27, facts['day'])} {facts['hour']:02d}:00:00",
    }
    fields = {
        "event_id": says["event_id"],
        "user_id": says["user_id"],
        "event_type": says["event_type"],
        "raw_time": says["event_at"],
        "page_url" if facts["is_renamed"] else "page": says["page"],
        "session": {"session_id": "s1"},
    }
    return fields, says


def _marketplace_orders(facts: dict[str, Any], tag: str, slot: int) -> tuple[dict, dict]:
    day = _sales_day(slot, facts["day"])
    lines = [(no, f"{tag}-p{product}", *rest) for no, (product, *rest) in enumerate(facts["lines"], 1)]
    says = {
        "order_id": f"{tag}-m",
        "revision": facts["revision"],
        "buyer_id": "b1",
        "country": "France",
        "currency": facts["currency"],
        "lines": tuple((no, product, quantity, _amount(price)) for no, product, quantity, price in lines if quantity),
        "placed_at": f"{day} 10:00:00",
        "is_cancelled": not any(quantity for _, _, quantity, _ in lines),
        "sales_date": day,
    }
    written = facts["written"]
    fields = {
        "id": _text(says["order_id"], written),
        "rev": _number(facts["revision"], written),
        "placed_at": f"{day}T" + ["10:00:00Z", "10:00:00.000+00:00", "12:00+02:00", "10:00:00,0"][written],
        "currency": facts["currency"],
        "buyer": {"ref": "b1", "country": "France"},
        "lines": [
            {"no": no, "sku": _text(sku, written), "qty": _number(quantity, written), "price": price}
            for no, sku, quantity, price in lines
        ],
    }
    return fields, says


def _orders(facts: dict[str, Any], tag: str, slot: int) -> tuple[dict, dict]:
    day = _sales_day(slot, facts["day"])
    customer = None if facts["is_guest"] else str(1_000_000 + slot)
    says = {
        "invoice_no": f"{'C' if facts['is_cancellation'] else ''}{tag}-{facts['invoice']}",
        "product_id": f"{tag}-p{facts['product']}",
        "description": facts["description"] or None,
        "customer_id": customer,
        "country": "France",
        "quantity": facts["quantity"],
        "unit_price": _amount(facts["price"]),
        "net_amount": _amount(facts["quantity"] * Decimal(facts["price"])),
        "is_cancellation": facts["is_cancellation"],
        "is_guest": facts["is_guest"],
        "invoiced_at": f"{day} {facts['hour']:02d}:00:00",
        "sales_date": day,
    }
    # spreadsheets write the same line in other ways
    other = facts["written"]
    at = date.fromisoformat(day)
    fields = {
        "InvoiceNo": _text(says["invoice_no"], other),
        "StockCode": _text(says["product_id"], other),
        "Description": _text(facts["description"], other),
        "Quantity": _number(facts["quantity"], other),
        "InvoiceDate": f"{at.month}/{at.day}/{at.year} {facts['hour']}:00" if other == 2 else says["invoiced_at"],
        "UnitPrice": _amount(facts["price"]) + "00" if other else facts["price"],
        "CustomerID": f"{customer}.0" if customer and other else customer or ["", "NULL", "n/a"][other % 3],
        "Country": "France",
    }
    return fields, says


def _products(facts: dict[str, Any], tag: str, slot: int) -> tuple[dict, dict]:
    # All share three extracts, which are there from the first build on. One product has an extract between them, of its
    # own; with seed 0 it arrives in the third build only.
    is_late = slot == 42
    says = {
        "product_id": f"{tag}-p0",
        "name": facts["name"],
        "category": f"c{facts['category']}",
        "list_price": _amount(facts["price"]),
        "extracted_at": "2026-01-06 12:00:00" if is_late else f"2026-01-0{5 + facts['day']} 00:00:00",
    }
    return says | {"list_price": facts["price"]}, says


def _rates() -> dict[tuple[str, str], Decimal]:
    file = Path(__file__).resolve().parent.parent / "seeds" / "exchange_rates.csv"
    with file.open(newline="") as rows:
        return {(row["currency"], row["rate_date"]): Decimal(row["gbp_per_unit"]) for row in csv.DictReader(rows)}


def _rate(rates: dict, currency: str, day: str) -> Decimal:
    """Pounds for one unit: of the day, or of the last one before that had a rate."""
    if currency == "GBP":
        return Decimal(1)
    days = (str(date.fromisoformat(day) - timedelta(back)) for back in range(8))
    return next(rates[currency, d] for d in days if (currency, d) in rates)


def _newest(records: Iterable[Record], key: list[str], order: list[str]) -> list[dict[str, Any]]:
    """What holds of each key: the greatest by `order`, then by the hash of the record."""
    best: dict[tuple, tuple] = {}
    for record in records:
        said = tuple(record.says[column] for column in key)
        rank = (*(record.says[column] for column in order), record.hash)
        if said not in best or rank > best[said][0]:
            best[said] = (rank, record.says | {"record_hash": record.hash})
    return [says for _, says in best.values()]


def replay(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The versions of customers (SCD2), by going through their changes one by one, as a ledger clerk would.

    The clerk's own clock never goes back, and a version that ended as it began is struck out.
    """
    versions = []
    current: dict[str, dict[str, Any]] = {}
    clock: dict[str, str] = {}
    for change in sorted(changes, key=lambda it: it["sequence"]):
        customer = change["customer_id"]
        now = clock[customer] = max(clock.get(customer, ""), change["updated_at"])
        if ended := current.pop(customer, None):
            ended |= {"valid_to": now, "is_current": False}
        if change["operation"] != "delete":
            version = change | {"valid_from": now, "valid_to": None, "is_current": True}
            versions.append(version)
            current[customer] = version
    return [version for version in versions if version["valid_from"] != version["valid_to"]]


def catalogue(sightings: list[dict[str, Any]], listings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The versions of products (SCD2), by going through the extracts one by one and comparing each with the shelf."""
    said = {(it["product_id"], it["extracted_at"]): it for it in listings}
    held = defaultdict(set)
    for sighting in sightings:
        held[sighting["extracted_at"]].add(sighting["product_id"])
    versions = []
    shelf: dict[str, dict[str, Any]] = {}
    known: dict[str, tuple] = {}  # what the last good listing of a product said
    for extract in sorted(held):
        for product in shelf.keys() | held[extract]:
            if listing := said.get((product, extract)):
                known[product] = (listing["name"], listing["category"], listing["list_price"])
            version = shelf.get(product)
            if version and product in held[extract] and known[product] == version["says"]:
                continue
            if version:
                shelf.pop(product).update(valid_to=extract, is_current=False)
            if product in held[extract] and product in known:
                name, category, price = known[product]
                shelf[product] = {
                    "product_id": product,
                    "name": name,
                    "category": category,
                    "list_price": price,
                    "says": known[product],
                    "valid_from": extract,
                    "valid_to": None,
                    "is_current": True,
                }
                versions.append(shelf[product])
    return versions


def _masked(email: str) -> str:
    """What gold shows of an address."""
    name, at, domain = email.partition("@")
    return f"{name[0]}***{at}{domain}"


# The columns that are compared: all but lineage.
COLUMNS = {
    "silver.silver_customer_changes": (
        "customer_id sequence operation status email country updated_at is_delete record_hash"
    ),
    "silver.silver_customers": "customer_id sequence status email country updated_at",
    "gold.dim_customers": "customer_id sequence status email country valid_from valid_to is_current",
    "silver.silver_web_events": (
        "event_id user_id session_id product_id event_type page referrer event_at activity_date record_hash"
    ),
    "gold.daily_user_activity": (
        "user_id activity_date event_count page_view_count product_view_count search_count add_to_cart_count "
        "checkout_count purchase_count"
    ),
    "silver.silver_marketplace_orders": (
        "order_id revision buyer_id country currency lines placed_at is_cancelled sales_date record_hash"
    ),
    "silver.silver_order_lines": (
        "invoice_no product_id description customer_id country quantity unit_price net_amount is_cancellation is_guest "
        "invoiced_at sales_date"
    ),
    "gold.daily_sales_by_product": "sales_date product_id units net_revenue order_line_count",
    "gold.daily_global_sales": "sales_date shop_revenue marketplace_revenue net_revenue units order_count",
    "silver.silver_product_listings": "product_id extracted_at name category list_price record_hash",
    "silver.silver_product_sightings": "product_id extracted_at",
    "silver.silver_products": "product_id name category list_price extracted_at",
    "gold.dim_products": "product_id name category list_price extracted_at is_active",
    "gold.product_history": "product_id name category list_price valid_from valid_to is_current",
} | {f"silver.quarantine_{source}": "record violated_rules" for source in FACTS}


def truth(records: Iterable[Record]) -> dict[str, Counter]:
    """The rows of each table, by the set of the records, whatever their order."""
    good, bad, seen = defaultdict(list), defaultdict(list), []
    for record in records:
        if record.rule not in ("product_id_present", "extracted_at_valid", "extracted_at_plausible"):
            seen.append(record)
        (bad if record.rule else good)[record.source].append(record)

    changes = _newest(good["customers"], ["customer_id", "sequence"], ["is_delete"])
    versions = replay(changes)
    events = _newest(good["web_events"], ["event_id"], ["event_at"])
    orders = _newest(good["marketplace_orders"], ["order_id"], ["revision", "is_cancelled"])
    listings = _newest(good["products"], ["product_id", "extracted_at"], [])
    products = _newest(good["products"], ["product_id"], ["extracted_at"])
    sightings = _newest((it for it in seen if it.source == "products"), ["product_id", "extracted_at"], [])
    lines = [dict(line) for line in {tuple(record.says.items()) for record in good["orders"]}]
    newest = max((sighting["extracted_at"] for sighting in sightings), default=None)
    sold = {sighting["product_id"] for sighting in sightings if sighting["extracted_at"] == newest}
    for event in events:
        event["activity_date"] = event["event_at"][:10]

    rows = {
        "silver.silver_customer_changes": changes,
        "silver.silver_customers": [version for version in versions if version["is_current"]],
        "gold.dim_customers": [it | {"email": _masked(it["email"])} for it in versions],
        "silver.silver_web_events": events,
        "gold.daily_user_activity": _activity(events),
        "silver.silver_marketplace_orders": orders,
        "silver.silver_order_lines": lines,
        "gold.daily_sales_by_product": _product_sales(lines),
        "gold.daily_global_sales": _global_sales(lines, orders),
        "silver.silver_product_listings": listings,
        "silver.silver_product_sightings": sightings,
        "silver.silver_products": products,
        "gold.dim_products": [it | {"is_active": it["product_id"] in sold} for it in products],
        "gold.product_history": catalogue(sightings, listings),
    } | {
        f"silver.quarantine_{source}": [{"record": it.text, "violated_rules": (it.rule,)} for it in bad[source]]
        for source in FACTS
    }
    return {
        table: Counter(tuple(row[column] for column in COLUMNS[table].split()) for row in found)
        for table, found in rows.items()
    }


NEWEST_BY: dict[str, tuple[list[str], list[str]]] = {  # key and order of the versions
    "customers": (["customer_id", "sequence"], ["is_delete"]),
    "web_events": (["event_id"], ["event_at"]),
    "marketplace_orders": (["order_id"], ["revision", "is_cancelled"]),
    "products": (["product_id", "extracted_at"], []),
}


def places(arrived: Iterable[Landed]) -> Counter:
    """How many records of each source the row ledger must have in each place, for one batch a source and build."""
    found: Counter = Counter()
    held: dict[tuple, tuple[tuple, int]] = {}  # version of each key, and the build that brought it
    batches = defaultdict(list)
    for it in arrived:
        batches[it.build, it.record.source].append(it.record)
    for (build, source), records in sorted(batches.items()):
        versions = defaultdict(list)
        for record in records:
            if record.rule:
                is_unreadable = callable(BROKEN[source][record.rule])
                found[source, "unreadable" if is_unreadable else "quarantined"] += 1
                continue
            key, order = NEWEST_BY.get(source, (list(record.says), None))
            version = () if order is None else (*(record.says[column] for column in order), record.hash)
            is_mark = bool(record.says.get("is_delete") or record.says.get("is_cancelled"))
            versions[(source, *(record.says[column] for column in key))].append((version, is_mark))
        for key, told in versions.items():
            before = held.get(key)
            newest, is_mark = max(told)
            if before is None or newest > before[0]:
                held[key] = newest, build
                kept = "deleted" if is_mark else "updated" if before else "new"
                found[source, kept] += 1
                told.remove((newest, is_mark))
            version, brought_by = held[key]
            equal = "duplicate" if brought_by == build else "unchanged"
            found.update((source, equal if it == version else "superseded") for it, _ in told)
    return found


def _activity(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    days = defaultdict(Counter)
    for event in events:
        days[event["user_id"], event["activity_date"]].update(["event_count", f"{event['event_type']}_count"])
    counts = COLUMNS["gold.daily_user_activity"].split()[2:]
    return [
        {"user_id": user, "activity_date": day} | {name: counted[name] for name in counts}
        for (user, day), counted in days.items()
    ]


def _product_sales(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = defaultdict(list)
    for line in lines:
        groups[line["sales_date"], line["product_id"]].append(line)
    return [
        {
            "sales_date": day,
            "product_id": product,
            "units": sum(line["quantity"] for line in group),
            "net_revenue": _amount(sum(Decimal(line["net_amount"]) for line in group)),
            "order_line_count": len(group),
        }
        for (day, product), group in groups.items()
    ]


def _global_sales(lines: list[dict[str, Any]], orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rates = _rates()
    days: dict[str, list[tuple]] = defaultdict(list)  # (shop revenue, marketplace revenue, units, order)
    for line in lines:
        order = None if line["is_cancellation"] else ("shop", line["invoice_no"])
        days[line["sales_date"]].append((Decimal(line["net_amount"]), 0, line["quantity"], order))
    for order in orders:
        rate = _rate(rates, order["currency"], order["sales_date"])
        for _, _, quantity, price in order["lines"]:
            revenue = Decimal(_amount(quantity * Decimal(price) * rate))
            days[order["sales_date"]].append((0, revenue, quantity, ("marketplace", order["order_id"])))
    found = []
    for day, sales in days.items():
        shop, marketplace, units, keys = zip(*sales, strict=True)
        found.append(
            {
                "sales_date": day,
                "shop_revenue": _amount(sum(shop)),
                "marketplace_revenue": _amount(sum(marketplace)),
                "net_revenue": _amount(sum(shop) + sum(marketplace)),
                "units": sum(units),
                "order_count": len({key for key in keys if key}),
            }
        )
    return found
