"""The demo's generator: repeatable to the byte, all kinds of dirt present, and a truth that a second reader confirms.

The second reader works from the files alone: it parses them and judges each record by the rules as documented.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from medallion import generate

pytestmark = pytest.mark.engines()

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
EVENT_TYPES = {"page_view", "product_view", "search", "add_to_cart", "checkout", "purchase"}
PLAIN_DECIMAL = re.compile(r"-?\d+(\.\d{1,4})?")


# ---------------------------------------------------------------------------------------------------- a second reader
def content(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def files(root: Path, source: str) -> list[Path]:
    return sorted(path for path in (root / source).rglob("*") if path.is_file())


def json_records(root: Path, source: str):
    """(object or the reason why there is none, raw line) of every line that is not blank."""
    for path in files(root, source):
        for line in content(path).split("\n"):
            if line:
                try:
                    found = json.loads(line, parse_int=str, parse_float=str)
                except json.JSONDecodeError:
                    found = "malformed_json"
                else:
                    found = found if isinstance(found, dict) else "not_a_json_object"
                yield found, line


def csv_records(root: Path, source: str):
    """(fields by name or the reason why there are none, the fields) of every row that is not blank."""
    for path in files(root, source):
        rows = [row for row in csv.reader(io.StringIO(content(path), newline="")) if row]
        for row in rows[1:]:
            if len(row) != len(rows[0]):
                yield "too_few_fields" if len(row) < len(rows[0]) else "too_many_fields", row
            else:
                yield dict(zip(rows[0], row, strict=True)), row


def present(value) -> bool:
    return value is not None and str(value).strip() != ""


def whole(value) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else None


def amount(value) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and PLAIN_DECIMAL.fullmatch(value) else None


def moment(value, form: str = "%Y-%m-%d %H:%M:%S") -> datetime | None:
    try:
        return datetime.strptime(value, form)
    except (TypeError, ValueError):
        return None


def judge_event(r: dict) -> dict[str, bool]:
    return {
        "event_id_present": present(r.get("event_id")),
        "user_id_present": present(r.get("user_id")),
        "event_time_valid": moment(r.get("raw_time")) is not None,
        "event_type_known": r.get("event_type") in EVENT_TYPES,
    }


def judge_line(r: dict) -> dict[str, bool]:
    quantity, price = whole(r["Quantity"]), amount(r["UnitPrice"])
    return {
        "invoice_no_present": present(r["InvoiceNo"]),
        "stock_code_present": present(r["StockCode"]),
        "quantity_valid": quantity is not None,
        "quantity_not_zero": quantity != 0,
        "quantity_within_bounds": quantity is None or abs(quantity) <= 100000,
        "unit_price_valid": price is not None,
        "unit_price_not_negative": price is None or price >= 0,
        "unit_price_within_bounds": price is None or price <= 50000,
        "invoice_date_valid": moment(r["InvoiceDate"]) is not None,
        "customer_id_valid": re.fullmatch(r"(\d+(\.0)?)?", r["CustomerID"]) is not None,
    }


def judge_order(r: dict) -> dict[str, bool]:
    lines = r.get("lines") or []
    prices = [amount(line["price"]) for line in lines]
    return {
        "order_id_present": present(r.get("id")),
        "revision_valid": whole(r.get("rev")) is not None,
        "placed_at_valid": moment(r.get("placed_at"), "%Y-%m-%dT%H:%M:%SZ") is not None,
        "currency_known": r.get("currency") in {"EUR", "USD", "GBP"},
        "lines_present": isinstance(r.get("lines"), list),
        "line_quantities_valid": all(whole(line["qty"]) is not None for line in lines),
        "line_prices_valid": all(price is not None and price >= 0 for price in prices),
    }


def judge_change(r: dict) -> dict[str, bool]:
    return {
        "customer_id_present": present(r.get("customer_id")),
        "operation_known": r.get("operation") in {"insert", "update", "delete"},
        "sequence_valid": whole(r.get("sequence")) is not None,
        "updated_at_valid": moment(r.get("updated_at")) is not None,
        "status_known": r.get("operation") == "delete" or r.get("status") in {"active", "inactive", "closed"},
    }


def judge_product(r: dict) -> dict[str, bool]:
    price = amount(r["list_price"])
    return {
        "product_id_present": present(r["product_id"]),
        "name_present": present(r["name"]),
        "list_price_valid": price is not None,
        "list_price_not_negative": price is None or price >= 0,
        "extracted_at_valid": moment(r["extracted_at"]) is not None,
    }


READERS = {
    "web_events": (json_records, judge_event),
    "orders": (csv_records, judge_line),
    "marketplace_orders": (json_records, judge_order),
    "customers": (json_records, judge_change),
    "products": (csv_records, judge_product),
}


def verdicts(root: Path, source: str) -> list[tuple[object, object, str]]:
    """(record, raw, violated rules) of every record of a source."""
    read, judge = READERS[source]
    found = []
    for record, raw in read(root, source):
        rules = record if isinstance(record, str) else ",".join(sorted(k for k, ok in judge(record).items() if not ok))
        found.append((record, raw, rules))
    return found


def good(root: Path, source: str) -> list[tuple[dict, object]]:
    return [(record, raw) for record, raw, rules in verdicts(root, source) if not rules]


def typed_lines(root: Path) -> set[tuple]:
    return {
        (
            r["InvoiceNo"],
            r["StockCode"],
            r.get("Description"),
            int(r["Quantity"]),
            r["InvoiceDate"],
            Decimal(r["UnitPrice"]),
            r["CustomerID"].removesuffix(".0"),
            r["Country"],
        )
        for r, _ in good(root, "orders")
    }


def rows_of(truth: dict, table: str) -> list[dict]:
    columns = truth["gold"][table]["columns"]
    return [dict(zip(columns, row, strict=True)) for row in truth["gold"][table]["rows"]]


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", params=[7, 1, 2026])
def drop(request, tmp_path_factory) -> Path:
    """A drop of the default size, for several seeds."""
    root = tmp_path_factory.mktemp("landing")
    generate.generate(root, seed=request.param)
    return root


@pytest.fixture(scope="module")
def truth(drop) -> dict:
    return json.loads((drop / "truth.json").read_text(encoding="utf-8"))


# -------------------------------------------------------------------------------------------------------- determinism
def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate.generate(tmp_path / name, seed=seed, days=12, events=600)
    a, b, c = (snapshot(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys()
    assert all(a[name] != c[name] for name in a if a[name] and "header_only" not in name)


def test_day_by_day_gives_the_same_bytes_as_all_at_once(tmp_path):
    settings = {"seed": 3, "days": 13, "events": 900}
    generate.generate(tmp_path / "once", **settings)
    for day in range(13):
        generate.generate(tmp_path / "daily", **settings, from_day=day, to_day=day + 1, truth=day == 12)
    assert snapshot(tmp_path / "once") == snapshot(tmp_path / "daily")


def test_the_truth_of_the_first_days_ignores_later_ones(tmp_path):
    generate.generate(tmp_path / "a", days=10, events=600, to_day=4)
    generate.generate(tmp_path / "b", days=10, events=600, from_day=3, to_day=4)
    assert (tmp_path / "a/truth.json").read_bytes() == (tmp_path / "b/truth.json").read_bytes()
    names = [name for name in snapshot(tmp_path / "b") if name != "truth.json"]
    assert names
    assert all("2026-01-04" in name for name in names)


def test_only_whole_files_under_final_names(tmp_path, monkeypatch):
    def breaks(plan, day):
        yield "{}", "", None
        raise RuntimeError("disk full")

    monkeypatch.setattr(generate, "web_file", breaks)
    with pytest.raises(RuntimeError):
        generate.generate(tmp_path, days=2, events=100, truth=False)
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize(("days", "events"), [(1, 1), (2, 40), (3, 500)])
def test_tiny_sizes_work(tmp_path, days, events):
    generate.generate(tmp_path, days=days, events=events)
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    for source in generate.SOURCES:
        found = verdicts(tmp_path, source)
        assert truth["bronze"][source]["rows"] == len(found)
        assert truth["quarantine"][source] == Counter(rules for _, _, rules in found if rules)


def test_the_command(tmp_path):
    run = CliRunner().invoke(generate.main, ["--out", str(tmp_path), "--days", "3", "--events", "90", "--no-truth"])
    assert run.exit_code == 0, run.output
    assert f"Wrote {len(snapshot(tmp_path))} landing files" in run.output
    assert not (tmp_path / "truth.json").exists()
    for wrong in (["--to-day", "31"], ["--from-day", "9", "--to-day", "3"], ["--start", "2019-01-01"], ["--days", "0"]):
        run = CliRunner().invoke(generate.main, ["--out", str(tmp_path), *wrong])
        assert run.exit_code == 2
        assert "Error" in run.output


# --------------------------------------------------------------------------------------------------------------- dirt
def test_every_kind_of_dirt_is_planted(truth):
    """Each entry of the tables above the generator that violates a rule has left its mark."""
    for source, dirt in (
        ("web_events", generate.EVENT_DIRT),
        ("orders", generate.ORDER_DIRT),
        ("marketplace_orders", generate.MARKET_DIRT),
        ("customers", generate.CUSTOMER_DIRT),
        ("products", generate.PRODUCT_DIRT),
    ):
        planted = {kind[1] for kind in dirt if not isinstance(kind, str)}
        assert all(rules == ",".join(sorted(rules.split(","))) for rules in planted)
        unreadable = {"too_few_fields", "too_many_fields"}
        if source not in ("orders", "products"):
            unreadable = {"malformed_json", "not_a_json_object"}
        assert set(truth["quarantine"][source]) == planted | unreadable


def test_dirt_of_web_events(drop):
    lines = {path.name: content(path).splitlines() for path in files(drop, "web_events")}
    assert lines["2026-01-16 resend of 2026-01-08.json"] == lines["2026-01-08.json"]
    assert any(len(set(day)) < len(day) for day in lines.values()), "duplicates in a file"
    assert set(lines["2026-01-03.json"]) & set(lines["2026-01-04.json"]), "duplicates across days"
    bad = [r for r, _, rules in verdicts(drop, "web_events") if rules and isinstance(r, dict)]
    for name, values in (("user_id", [None, "", "  "]), ("raw_time", [*generate.BAD_TIMES[:-1]]), ("event_id", [""])):
        assert {r.get(name, "absent") for r in bad} >= {*values, "absent"}
    late = out_of_order = 0
    sent: dict[str, list[str]] = defaultdict(list)
    for name, day in lines.items():
        records = [json.loads(line) for line in day if line.startswith("{") and line.endswith("}")]
        times = [r["raw_time"] for r in records if moment(r.get("raw_time"))]
        late += sum(time[:10] < name[:10] for time in times)
        out_of_order += sum(after < before for before, after in pairwise(times))
        if len(name) == len("2026-01-01.json"):
            index = int(name[8:10]) - 1
            assert all(("device" in r) == (index >= 15) for r in records[-50:])
            assert all(("page_url" in r) == (index >= 20) and ("page" in r) == (index < 20) for r in records[-50:])
        for r in records:
            if present(r.get("event_id")) and moment(r.get("raw_time")):
                sent[r["event_id"]].append(r["raw_time"])
    assert late > 20
    assert out_of_order > 20
    assert any(len({time[:10] for time in times}) > 1 and max(times) == times[-1] for times in sent.values()), "moved"
    assert any(len(times) > 1 and max(times) != times[-1] for times in sent.values()), "stale"
    assert any(isinstance(json.loads(raw)["user_id"], int) for _, raw in good(drop, "web_events"))


def test_dirt_of_orders(drop):
    found = {path.relative_to(drop / "orders").as_posix(): path for path in files(drop, "orders")}
    assert found["2026/01/2026-01-07.csv"].exists()
    assert found["2026-01-10_empty.csv"].read_bytes() == b""
    assert content(found["2026-01-09_header_only.csv"]).count("\n") == 1
    assert found["2026-01-06.csv"].read_bytes().startswith(b"\xef\xbb\xbf")
    assert found["2026-01-05.csv"].read_bytes().count(b"\r\n") > 20
    assert len(gzip.decompress(found["2026-01-08.csv.gz"].read_bytes())) > 1000
    assert content(found["2026-01-09.csv"]).endswith("\n\n")
    headers = {content(path).split()[0] for path in found.values() if path.stat().st_size}
    assert len(headers) == 4, "usual, reordered, with Channel, without Description"
    records = [r for r, _ in good(drop, "orders")]
    exact = Counter(json.dumps(r, sort_keys=True) for r in records)
    assert max(exact.values()) > 1
    assert len(typed_lines(drop)) < len(exact), "some are equal only once typed"
    assert {True, False} == {r["CustomerID"].endswith(".0") for r in records if r["CustomerID"]}
    assert {"Atlantis", ""} <= {r["Country"] for r in records}
    assert any(r["InvoiceNo"].startswith("C") and int(r["Quantity"]) < 0 for r in records)
    assert any(r["CustomerID"] == "" for r in records)
    text = [r.get("Description") or "" for r in records]
    for sign in (", ", '"', "\n", "☕", "  HEART"):
        assert any(sign in description for description in text), sign
    assert any(re.search(r"\.\d{3}", r["UnitPrice"]) for r in records)
    catalogue = {r["product_id"] for r, _ in good(drop, "products")}
    assert {"POST", "M"} <= {r["StockCode"] for r in records} - catalogue
    dates = [(path.name[:10], row) for path in files(drop, "orders") for row in content(path).split("\n")]
    assert any((t := re.search(r"\d{4}-\d\d-\d\d(?= \d\d:)", row)) and t[0] < name for name, row in dates), "late"


def test_dirt_of_marketplace_orders(drop):
    arrived: dict[str, list[dict]] = defaultdict(list)
    records = good(drop, "marketplace_orders")
    for r, _ in records:
        arrived[r["id"]].append(r)
    revised = [(before, after) for rs in arrived.values() for before, after in pairwise(rs)]
    assert any(int(after["rev"]) < int(before["rev"]) for before, after in revised), "stale"
    assert any(before == after for before, after in revised), "duplicate"
    newer = [(a, b) for a, b in revised if int(b["rev"]) > int(a["rev"])]
    assert any(len(b["lines"]) < len(a["lines"]) for a, b in newer), "a line dropped"
    assert any({**b, "rev": a["rev"]} == a for a, b in newer), "nothing else changed"
    assert any(b["placed_at"][:10] > a["placed_at"][:10] for a, b in newer), "moved to another day"
    assert any(a["rev"] == b["rev"] and a["lines"] != b["lines"] for a, b in revised), "tie"
    assert {r["currency"] for r, _ in records} == {"EUR", "USD", "GBP"}
    assert any(isinstance(json.loads(raw)["rev"], str) for _, raw in records)
    assert any("\n\n" in content(path) for path in files(drop, "marketplace_orders"))
    assert any(json.loads(raw)["placed_at"][:10] < path.name[:10] for path in files(drop, "marketplace_orders")
               for raw in content(path).split("\n") if raw.endswith("]}") and '"rev": 1' in raw
               and moment(json.loads(raw)["placed_at"], "%Y-%m-%dT%H:%M:%SZ"))  # fmt: skip


def test_dirt_of_customers(drop):
    arrived: dict[str, list[dict]] = defaultdict(list)
    for r, raw in good(drop, "customers"):
        arrived[r["customer_id"]].append({**r, "sequence": int(r["sequence"]), "raw": raw})
    assert any(len({r["raw"] for r in rs}) < len(rs) for rs in arrived.values()), "repeated"
    assert any(len({r["sequence"] for r in rs}) < len({r["raw"] for r in rs}) for rs in arrived.values()), "tie"
    pairs = [pair for rs in arrived.values() for pair in pairwise(rs)]
    assert any(b["sequence"] < a["sequence"] and a["operation"] == "update" for a, b in pairs), "out of order"
    assert any(b["sequence"] < a["sequence"] and a["operation"] == "delete" for a, b in pairs), "stale after delete"
    for rs in arrived.values():
        ordered = sorted({(r["sequence"], r["updated_at"]) for r in rs})
        assert [at for _, at in ordered] == sorted({at for _, at in ordered}), "time follows sequence"
    histories = [[r["operation"] for r in sorted(rs, key=lambda r: r["sequence"])] for rs in arrived.values()]
    assert any("delete" in h and "insert" in h[h.index("delete") :] for h in histories), "back after a delete"
    assert any(h[-1] == "delete" for h in histories)


def test_dirt_of_products(drop, truth):
    headers = [content(path).split("\n")[0] for path in files(drop, "products") if "resend" not in path.name]
    assert set(headers[:10]) == {"product_id,name,category,list_price,extracted_at"}
    assert set(headers[10:]) == {"product_id,category,name,extracted_at,list_price"}
    prices, rows = defaultdict(set), Counter()
    for r, _ in good(drop, "products"):
        prices[r["product_id"]].add(r["list_price"])
        rows[r["product_id"], r["extracted_at"], r["list_price"]] += 1
    assert max(map(len, prices.values())) > 1
    assert 2 in rows.values()
    assert {row["is_active"] for row in rows_of(truth, "dim_products")} == {True, False}


# -------------------------------------------------------------------------------------------------------------- truth
@pytest.mark.parametrize("source", generate.SOURCES)
def test_bronze_and_quarantine_agree_with_a_second_reader(drop, truth, source):
    found = verdicts(drop, source)
    unreadable = sum(isinstance(record, str) for record, _, _ in found)
    assert truth["bronze"][source] == {"rows": len(found), "unreadable": unreadable}
    assert truth["quarantine"][source] == Counter(rules for _, _, rules in found if rules)
    assert 0 < sum(truth["quarantine"][source].values()) < 0.15 * len(found)


def test_silver_keeps_every_key_once(drop, truth):
    silver = truth["silver"]
    lines = typed_lines(drop)
    assert silver["silver_web_events"]["rows"] == len({r["event_id"] for r, _ in good(drop, "web_events")})
    assert silver["silver_order_lines"]["rows"] == len(lines)
    assert silver["silver_order_lines"]["net_amount"] == f"{sum(line[3] * line[5] for line in lines):.4f}"
    assert silver["silver_order_lines"]["guests"] == sum(not line[6] for line in lines)
    assert silver["silver_order_lines"]["cancellations"] == sum(line[0].startswith("C") for line in lines)
    assert silver["silver_marketplace_orders"]["rows"] == len({r["id"] for r, _ in good(drop, "marketplace_orders")})
    changes = {(r["customer_id"], r["sequence"]) for r, _ in good(drop, "customers")}
    assert silver["silver_customer_changes"]["rows"] == len(changes)
    listings = {(r["product_id"], r["extracted_at"]) for r, _ in good(drop, "products")}
    assert silver["silver_product_listings"]["rows"] == len(listings)
    assert silver["silver_products"]["rows"] == len({product for product, _ in listings})


def test_sales_totals_agree_with_each_other_and_with_the_lines(drop, truth):
    lines = typed_lines(drop)
    revenue = sum(line[3] * line[5] for line in lines)
    for table, column in (
        ("daily_sales_by_product", "net_revenue"),
        ("sales_by_region", "net_revenue"),
        ("daily_global_sales", "shop_revenue"),
    ):
        assert sum(Decimal(row[column]) for row in rows_of(truth, table)) == revenue
    by_customer = rows_of(truth, "customer_lifetime_value")
    assert sum(Decimal(row["net_revenue"]) for row in by_customer) == sum(x[3] * x[5] for x in lines if x[6])
    invoices = {(line[0], line[6]) for line in lines if line[6] and not line[0].startswith("C")}
    assert sum(row["order_count"] for row in by_customer) == len(invoices)
    unknown = [row["country"] for row in rows_of(truth, "sales_by_region") if row["region"] == "Unknown"]
    assert {"Atlantis", "Unknown", "Unspecified"} == set(unknown)


def test_marketplace_revenue_counted_a_second_way(drop, truth):
    with (SEEDS / "exchange_rates.csv").open(newline="") as handle:
        rates = list(csv.DictReader(handle))
    winners = {}
    for r, raw in good(drop, "marketplace_orders"):
        rank = (int(r["rev"]), hashlib.md5(raw.encode()).hexdigest())
        winners[r["id"]] = max(winners.get(r["id"], ((0, ""),)), (rank, r), key=lambda pair: pair[0])
    revenue = defaultdict(Decimal)
    for _, r in winners.values():
        day = r["placed_at"][:10]
        known = [x["gbp_per_unit"] for x in rates if x["currency"] == r["currency"] and x["rate_date"] <= day]
        rate = Decimal(known[-1]) if known else Decimal(1)
        for line in r["lines"]:
            exact = int(line["qty"]) * Decimal(line["price"]) * rate
            revenue[day] += exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    expected = {row["sales_date"]: Decimal(row["marketplace_revenue"]) for row in rows_of(truth, "daily_global_sales")}
    assert {day: sum_ for day, sum_ in expected.items() if sum_} == dict(revenue)


def test_activity_counted_a_second_way(drop, truth):
    winners: dict[str, tuple] = {}
    for r, raw in good(drop, "web_events"):
        rank = (r["raw_time"], hashlib.md5(raw.encode()).hexdigest(), r["user_id"], r["event_type"])
        winners[r["event_id"]] = max(winners.get(r["event_id"], rank), rank)
    counts = Counter((user, at[:10]) for at, _, user, _ in winners.values())
    activity = rows_of(truth, "daily_user_activity")
    assert {(row["user_id"], row["activity_date"]): row["event_count"] for row in activity} == counts
    assert all(row["event_count"] == sum(row[f"{kind}_count"] for kind in EVENT_TYPES) for row in activity)
    buyers = Counter(day for _, day in {(u, at[:10]) for at, _, u, kind in winners.values() if kind == "purchase"})
    for row in rows_of(truth, "conversion_funnel"):
        assert row["buyer_count"] == buyers[row["activity_date"]]
        assert row["visitor_count"] == sum(day == row["activity_date"] for _, day in counts)


def test_history_of_products_agrees_with_each_listing(drop, truth):
    """Each day of a product lies in the version that says what its listing says, and each day without it in none."""
    seen, told = set(), defaultdict(set)
    for record, raw, rules in verdicts(drop, "products"):
        if isinstance(record, dict) and not {"product_id_present", "extracted_at_valid"} & set(rules.split(",")):
            key = record["product_id"], record["extracted_at"]
            seen.add(key)
            if not rules:
                text = ",".join(generate.cell(field) for field in raw)
                says = record["name"], record["category"], Decimal(record["list_price"])
                told[key].add((hashlib.md5(text.encode()).hexdigest(), says))
    winners = {key: max(texts)[1] for key, texts in told.items()}
    versions = defaultdict(list)
    for row in rows_of(truth, "product_history"):
        says = row["name"], row["category"], Decimal(row["list_price"])
        versions[row["product_id"]].append((row["valid_from"], row["valid_to"] or "9999", says))
        assert row["is_current"] == (row["valid_to"] is None)
    extracts = sorted({extract for _, extract in seen})
    for product in {product for product, _ in winners}:
        past = sorted(versions.pop(product))
        assert all(a[1] < b[0] or (a[1] == b[0] and a[2] != b[2]) for a, b in pairwise(past))
        for extract in extracts:
            held = [says for begin, end, says in past if begin <= extract < end]
            if (product, extract) in winners:
                assert held == [winners[product, extract]]
            elif (product, extract) not in seen:
                assert held == []
            elif past[0][0] < extract:
                assert len(held) == 1
    assert not versions
    assert any(product not in {p for p, at in seen if at == extracts[-1]} for product, _ in seen), "left the catalogue"
    assert seen - winners.keys(), "a listing in quarantine"
    assert any(len(texts) > 1 for texts in told.values()), "two prices in one extract"


def test_history_of_customers_is_gapless(truth):
    versions = defaultdict(list)
    for row in rows_of(truth, "dim_customers"):
        versions[row["customer_id"]].append(row)
        assert row["is_current"] == (row["valid_to"] is None)
        assert row["valid_to"] is None or row["valid_from"] < row["valid_to"]
    for rows in versions.values():
        assert all(a["valid_to"] <= b["valid_from"] for a, b in pairwise(rows))
        assert sum(row["is_current"] for row in rows) <= 1
    current = {customer for customer, rows in versions.items() if rows[-1]["is_current"]}
    assert len(current) == truth["silver"]["silver_customers"]["rows"]
    assert {row["user_id"] for row in rows_of(truth, "fct_active_users")} <= current


# -------------------------------------------------------------------------------------------------------------- seeds
def test_seeds():
    with (SEEDS / "countries.csv").open(encoding="utf-8", newline="") as handle:
        countries = {row["country"]: row for row in csv.DictReader(handle)}
    assert {"United Kingdom", "EIRE", "Channel Islands", "RSA", "European Community", "USA"} <= countries.keys()
    assert "Unspecified" not in countries
    assert all(row["region"] and re.fullmatch("[A-Z]{3}", row["currency"]) for row in countries.values())
    with (SEEDS / "exchange_rates.csv").open(newline="") as handle:
        rates = list(csv.DictReader(handle))
    days = {row["rate_date"] for row in rates}
    assert (min(days), max(days)) == ("2025-12-01", "2026-12-31")
    assert all(datetime.fromisoformat(day).weekday() < 5 for day in days)
    assert len(rates) == 2 * len(days)
    with (SEEDS / "event_types.csv").open(newline="") as handle:
        assert {row["event_type"] for row in csv.DictReader(handle)} == EVENT_TYPES
