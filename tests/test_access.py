"""Who sees what of a person: masks, files for groups of this machine, logs."""

from __future__ import annotations

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pytest
from conftest import NO_TESTS, ROOT, Lake, delta_rs
from deltalake import write_deltalake
from lakes import HEADER, line, start_build

from medallion import access
from medallion.errors import Failure
from medallion.lake import note_start, private

pytestmark = pytest.mark.engines("sail")

CHANGE = (
    '{{"operation": "{operation}", "sequence": {sequence}, "customer_id": "{customer}", "status": "active",'
    ' "email": "{email}", "country": "France", "updated_at": "2026-01-01 10:00:00"}}\n'
)
GOOD, BAD, CUT = "zelda.quist@mail.example", "bad.zelda@mail.example", "cut.zelda@mail.example"
CUSTOMER, GUESSED = "7788990011", "9911887722"


def change(customer: str, email: str, operation: str = "insert", sequence: int = 1) -> str:
    return CHANGE.format(operation=operation, sequence=sequence, customer=customer, email=email)


def plant(landing: Path) -> None:
    """A good record, one that breaks a rule, and one that cannot be read; and an order."""
    files = {
        "customers/1.json": change(CUSTOMER, GOOD) + change(GUESSED, BAD, "rename") + change("1", CUT)[:-20] + "\n",
        "orders/1.csv": HEADER
        + line("5001", description="for ben@shop.example").replace("17850", CUSTOMER)
        + line("5002", quantity="x"),
    }
    for name, text in files.items():
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_text(text)


def rows(lake: Lake, sql: str) -> list[tuple]:
    """Rows of a query with macros in it; as with `medallion`, and other than with bare dbt, no log has them."""
    result = lake.dbt("show", "--inline", sql, "--limit", "-1", "--output", "json", "--log-level", "none")
    assert result.success, lake.explain(result)
    return [tuple(row) for row in result.result.results[0].agate_table.rows]


# What is masked -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def masked(new_lake) -> Lake:
    lake = new_lake("masked")
    plant(lake.landing)
    lake.build("--select", "+dim_customers", "+silver_order_lines", *NO_TESTS)
    return lake


def test_gold_has_no_address_in_rows_or_statistics(masked: Lake):
    assert masked.sql("select customer_id, email from {gold}.dim_customers") == [(CUSTOMER, "z***@mail.example")]
    assert masked.sql("select email from {silver}.silver_customer_changes") == [(GOOD,)]
    log = "".join(file.read_text() for file in (masked.path("gold.dim_customers") / "_delta_log").glob("*.json"))
    assert "z***@mail.example" in log
    assert "zelda" not in log


def test_a_record_in_quarantine_is_shown_without_what_is_personal(masked: Lake):
    query = "select record from ({{ quarantined_records('%s', is_masked=%s) }}) order by record"
    shown = rows(masked, query % ("customers", "true"))
    assert [text for (text,) in shown] == [
        "operation: rename, sequence: 1, status: active, country: France, updated_at: 2026-01-01 10:00:00",
        f"unreadable, {len(change('1', CUT)) - 20} characters",
    ]
    assert "zelda" in str(rows(masked, query % ("customers", "false")))
    [(order,)] = rows(masked, query % ("orders", "true"))
    assert order.startswith("InvoiceNo: 5002, StockCode: A1, Description: THING, Quantity: x, ")
    assert "17850" not in order


def test_logs_and_artifacts_hold_nothing_personal(masked: Lake):
    """But ids: the keys that a build touches stand in its SQL, for nobody but the user who builds."""
    artifacts = [file for file in masked.target_path.rglob("*") if file.is_file() and file.suffix != ".msgpack"]
    books = list(masked.path("ops.x").parent.rglob("*.json"))
    assert any(file.name == "dbt.log" for file in artifacts)
    assert len(artifacts) > 10
    assert len(books) > 10
    assert [file for file in (*artifacts, *books) if b"zelda" in file.read_bytes().lower()] == []


@pytest.mark.soak
def test_equal_values_have_equal_hashes_that_nobody_can_try_out(new_lake, tmp_path):
    """In two models, which join by them; the secret stands nowhere but in its table."""
    lake = new_lake("hashed", project_dir=tmp_path / "project")
    shutil.copytree(ROOT, lake.project_dir, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    for name in ("gold/dim_customers.sql", "silver/silver_customers.sql"):
        model = lake.project_dir / "models" / name
        text = model.read_text().replace("mask('email', 'partial')", "mask('email', 'hash')")
        model.write_text(text.replace("        email,\n", "        {{ mask('email', 'hash') }} as email,\n"))
    lake.drop_file("customers/1.json", change("1", GOOD) + change("2", GOOD) + change("3", "else@mail.example"))
    build = ("--select", "+dim_customers", "silver_customers", *NO_TESTS, "--log-path", str(tmp_path / "logs"))
    lake.build(*build)

    def hashes() -> dict[str, str]:
        joined = (
            "select d.customer_id, d.email from {gold}.dim_customers as d inner join {silver}.silver_customers as s"
        )
        return dict(lake.sql(joined + " on d.customer_id = s.customer_id and d.email = s.email"))

    first = hashes()
    assert first["1"] == first["2"] != first["3"]
    assert lake.sql(f"select sha2('{GOOD}', 256)") != [(first["1"],)]
    [(secret,)] = delta_rs(lake.path("ops.mask_secrets"), "select secret from t")
    assert len(secret) >= 32
    words = [bytes(secret), bytes(secret).hex().encode(), bytes(secret).hex().upper().encode()]
    places = [tmp_path, lake.target_path, *lake.path("gold.x").parents[1].glob(f"{lake.prefix}*/*/_delta_log")]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert [file for file in files if any(word in file.read_bytes() for word in words)] == []
    assert len(files) > 20

    before = lake.versions()
    lake.build(*build)
    assert lake.versions() == before
    lake.sql("delete from {ops}.mask_secrets")
    lake.build(*build)
    assert hashes().keys() == first.keys()
    assert not set(hashes().values()) & set(first.values())


def test_a_sample_finds_what_nobody_declared(masked: Lake):
    found = rows(masked, "select table_name, column_name, value_count from ({{ undeclared_persons(rows=1000) }})")
    assert found == [("silver_order_lines", "description", 1)]


GRANTS = """
{%- for node in graph.nodes.values() if node.config.grants and node.config.materialized != 'ephemeral' %}
{{ get_dcl_statement_list(relation_of(node), node.config.grants, get_grant_sql) | map('trim') | join('\n') }}
{%- endfor %}
"""


def test_grants_of_a_catalog_are_those_of_the_yaml(masked: Lake):
    compiled = masked.dbt("compile", "--inline", GRANTS).result.results[0].node.compiled_code
    found = sorted(compiled.replace(masked.prefix, "").split("\n"))
    of = {table: [text for text in found if f".{table} " in text] for table in ("dim_customers", "silver_customers")}
    assert of["dim_customers"] == [
        "grant select on gold.dim_customers to `business`",
        "grant select on gold.dim_customers to `engineers`",
        "grant select on gold.dim_customers to `explorers`",
    ]
    assert of["silver_customers"] == ["grant select on silver.silver_customers to `engineers`"]
    layers = {"bronze": {"engineers"}, "silver": {"engineers", "explorers"}, "gold": {*GROUPS}}
    for layer, readers in layers.items():
        assert {text.split("`")[1] for text in found if f" {layer}." in text} == readers


# Files ----------------------------------------------------------------------------------------------------------------

GROUPS = {"engineers": "mdl-engineers", "explorers": "mdl-explorers", "business": "mdl-business"}
USERS = {
    "mdl-ann": "engineers",
    "mdl-ben": "explorers",
    "mdl-cleo": "business",
}  # a member of this and of all wider ones
# The interpreter may be where only root may pass, so it starts as root and becomes the user.
READ = """
import json, os, pwd, sys
from pathlib import Path
from deltalake import DeltaTable, QueryBuilder
user, places = sys.argv[1], sys.argv[2:]
account = pwd.getpwnam(user)
os.chdir("/")
os.initgroups(user, account.pw_gid)
os.setgid(account.pw_gid)
os.setuid(account.pw_uid)
found = {}
for place in map(Path, places):
    try:
        if (place / "_delta_log").exists():
            query = QueryBuilder().register("t", DeltaTable(str(place))).execute("select * from t")
            found[str(place)] = query.read_all().num_rows
            DeltaTable(str(place), version=0)
        else:
            found[str(place)] = len(list(place.iterdir()) if place.is_dir() else place.read_bytes())
    except Exception as problem:
        found[str(place)] = f"{type(problem).__name__}: {problem}"
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    """Three users and their groups."""
    if os.geteuid() != 0 or not shutil.which("useradd"):
        pytest.skip("makes users and groups")
    names = list(GROUPS)
    try:
        for group in GROUPS.values():
            subprocess.run(["groupadd", group], check=True)
        for user, reader in USERS.items():
            member_of = ",".join(GROUPS[name] for name in names[names.index(reader) :])
            subprocess.run(["useradd", "-M", "-G", member_of, user], check=True)
        yield
    finally:
        for user in USERS:
            subprocess.run(["userdel", user], check=False)
        for group in GROUPS.values():
            subprocess.run(["groupdel", group], check=False)


class Declared:
    """Stands for dbt: the tables of a lake with their readers."""

    target = "sail"

    def __init__(self, home: Path) -> None:
        self.home = home

    def rows(self, sql: str) -> list[dict[str, str]]:
        return [
            {"layer": name.split(".")[0], "table_name": name.split(".")[1], "readers": ", ".join(list(GROUPS)[:count]),
             "location": str(folder_of(self.home, name))}
            for name, count in TABLES.items()
        ]  # fmt: skip


TABLES = {
    "gold.dim_customers": 3,
    "gold.customer_lifetime_value": 3,
    "silver.silver_order_lines": 2,
    "silver.silver_customer_changes": 1,
    "silver.quarantine_customers": 1,
    "bronze.bronze_customers": 1,
    "ops.row_ledger": 1,
}  # and how many of the readers they have


def folder_of(home: Path, name: str) -> Path:
    return home / "warehouse" / f"{name.replace('.', '.db/')}"


@pytest.fixture(scope="module", params=["delta-rs", pytest.param("build", marks=pytest.mark.soak)])
def shared(machine, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A lake that the groups of this machine read; what was written after its tables were shared is part of it."""
    top = Path(tempfile.mkdtemp(prefix="medallion-access-"))
    top.chmod(0o711)
    home, landing = top / "lake", top / "landing"
    umask = os.umask(0o022)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDALLION_GROUPS", ",".join(f"{reader}={group}" for reader, group in GROUPS.items()))
        patch.setenv("MEDALLION_HOME", str(home))
        (write if request.param == "delta-rs" else build_twice)(home, landing)
        yield home
    os.umask(umask)
    shutil.rmtree(top)


def write(home: Path, landing: Path) -> None:
    private()
    note_start([], "sail")
    write_all(home)
    access.share_tables(Declared(home))
    write_all(home)


def write_all(home: Path) -> None:
    for name in TABLES:
        folder_of(home, name).parent.mkdir(parents=True, exist_ok=True)
        write_deltalake(folder_of(home, name), pyarrow.table({"n": [1]}), mode="append")


def build_twice(home: Path, landing: Path) -> None:
    """The second build adds files to known tables."""
    plant(landing)
    for number in (1, 2):
        (landing / f"customers/more{number}.json").write_text(change(str(number), "later.zelda@mail.example"))
        selection = ("--select", "+dim_customers", "+customer_lifetime_value", "--vars", "max_quarantine_share: 1")
        assert start_build(home, landing, *selection).wait(timeout=600) == 0, (home / "output").read_text()


def read_as(user: str, places: list[Path]) -> dict[str, int | str]:
    """What a user of this machine reads: rows or bytes, or why not."""
    command = [sys.executable, "-c", READ, user, *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {place.removeprefix(f"{places[0].parents[2]}/"): found for place, found in json.loads(done.stdout).items()}


def test_each_user_reads_what_the_grants_name_and_nothing_else(shared: Path):
    readers = {f"warehouse/{name.replace('.', '.db/')}": count for name, count in TABLES.items()} | {
        # around the tables
        "warehouse/silver.db/silver_customer_changes/_delta_log/00000000000000000001.json": 1,
        "last-run": 0,
        "last-run/command.json": 0,
        "warehouse/bronze.db": 0,
    }
    places = [shared / place for place in readers]
    for rank, user in enumerate(USERS):
        found = read_as(user, places)
        for place, count in readers.items():
            if rank < count:
                assert str(found[place]).isdigit(), (user, place, found[place])
            else:
                assert "denied" in str(found[place]).lower(), (user, place, found[place])
    assert read_as("mdl-cleo", places)["warehouse/gold.db/dim_customers"] >= 2


def test_a_new_table_is_for_few_until_it_is_shared_and_a_narrowed_one_at_once(shared: Path):
    def read(user: str, folder: Path) -> str:
        [found] = read_as(user, [folder]).values()
        return str(found)

    ann, _, cleo = USERS
    new, known = (folder_of(shared, f"gold.{name}") for name in ("new", "customer_lifetime_value"))
    private()
    write_deltalake(new, pyarrow.table({"n": [1]}))
    assert read(ann, new) == "1"
    assert "denied" in read(cleo, new)
    access.share(known, [grp.getgrnam(GROUPS["engineers"]).gr_gid])
    assert read(ann, known).isdigit()
    assert "denied" in read(cleo, known)
    access.share(known, [])
    assert "denied" in read(ann, known)
    access.share_tables(Declared(shared))
    assert read(cleo, known).isdigit()


def test_who_is_who(shared: Path):
    rows = Declared(shared).rows("")
    may = {who: sum(access.may_read(who, row) for row in rows) for who in ("business", "explorers", *USERS, "root")}
    assert may == {"business": 2, "explorers": 3, "mdl-ann": 7, "mdl-ben": 3, "mdl-cleo": 2, "root": 7}
    with pytest.raises(Failure, match="'nobody-here' is no reader in the config grants, and no user of this machine"):
        access.may_read("nobody-here", rows[0])
    assert access.outside() == []
    subprocess.run(["gpasswd", "-d", "mdl-ann", GROUPS["business"]], check=True, capture_output=True)
    sentence = "mdl-ann is in group mdl-explorers and not in mdl-business, so may not read what business may."
    assert access.outside() == [sentence]
