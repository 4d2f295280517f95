"""What the small macros render, without Spark: dbt's own jinja, a base context and stubs for what a run would add."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from conftest import ROOT
from dbt.clients.jinja import MacroGenerator
from dbt.context.base import generate_base_context
from dbt_common.context import set_invocation_context

pytestmark = pytest.mark.engines()

ORDERS = SimpleNamespace(name="orders", schema="gold", alias="orders")
# Texts that want to end a literal, a comment, a template or a line.
HOSTILE = [
    "plain",
    "",
    "it's",
    'say "hi"',
    "ends in a backslash \\",
    r"\' or 1 = 1 --",
    r"C:\new\table%_",
    "*/ drop table x; /*",
    "/* medallion {} */",
    "{{ ref('x') }} {% endmacro %} {# no #}",
    "one\ntwo\r\nthree\ttab",
    "Übergröße 価格 🍋",
    "orders/2026 01,{a}'%20+.csv",
]


def context(variables: dict[str, Any] | None = None, env: dict[str, str] | None = None, **stubs: Any) -> dict[str, Any]:
    """All macros of the folders under test in the context that dbt gives to every template; `stubs` come last."""
    set_invocation_context(env or {})
    names = generate_base_context(variables or {})
    for folder in ("engines", "run", "ingest", "bronze", "patches", "silver", "gold", "ledger"):
        for path in (ROOT / "macros" / folder).rglob("*.sql"):
            text = path.read_text()
            for name in re.findall(r"{%-? macro (\w+)\(", text):
                macro = SimpleNamespace(name=name, macro_sql=text, unique_id=name, original_file_path=str(path))
                names[name] = MacroGenerator(macro, names)
    names.update(
        {
            "target": SimpleNamespace(host="local"),
            "execute": True,
            "judged_meta": {"decimal_mark": "."}.get,
            "invocation_args_dict": {"project_dir": "/home/me/lake house"},
        },
        **stubs,
    )
    return names


def call(macro: str, *args: Any, **settings: Any) -> Any:
    """What a macro returns, or the text that it renders with its spaces made even."""
    result = context(**settings)[macro](*args)
    return " ".join(result.split()) if isinstance(result, str) else result


def read_literal(sql: str) -> str:
    """What Spark reads from a quoted literal; an error when the literal ends before its last quote."""
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", sql, re.DOTALL), f"{sql} is not one literal"
    return re.sub(r"\\(.)", r"\1", sql[1:-1], flags=re.DOTALL)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_literal_is_read_as_the_text_it_was(text: str):
    assert read_literal(context()["sql_literal"](text)) == text


def test_a_literal_of_a_number_is_text():
    assert call("sql_literal", 17850) == "'17850'"


def refuse(message: str) -> None:
    raise ValueError(message)


@pytest.mark.parametrize("host", ["cluster", "local", "sail"])
def test_a_location_is_honoured_or_refused(host: str):
    stubs = {"target": SimpleNamespace(host=host), "config": {"location_root": "/lakes/"}, "model": ORDERS}
    stubs["exceptions"] = SimpleNamespace(raise_compiler_error=refuse)
    if host == "cluster":
        assert call("spark__location_clause", **stubs) == "location '/lakes/gold/orders'"
    else:
        with pytest.raises(ValueError, match="orders: location_root does not work in a lake on this machine"):
            call("spark__location_clause", **stubs)


def windows(**model: Any) -> dict[str, Any]:
    """The macros of a model that is being built."""
    config = SimpleNamespace(materialized=model.pop("materialized", "incremental"))
    node = SimpleNamespace(**{"name": "m", "unique_id": "model.m", "resource_type": "model", "config": config, **model})
    return context(
        model=node,
        graph={},
        invocation_id="1-2",
        flags=SimpleNamespace(WHICH="build"),
        exceptions=SimpleNamespace(raise_compiler_error=refuse),
    )


@pytest.mark.parametrize(
    "text", [*HOSTILE, '/* medallion {"skip": true} */', "medallion_window_", "medallion_window_1_3"]
)
def test_no_text_of_a_feed_passes_for_a_window(text: str):
    macros = windows()
    sql = f"select {macros['sql_literal'](text)} where {macros['touched']('day')}"
    assert macros["requested_window"](sql) == {"kind": "keys", "column": "day", "asked_by": "touched('day')"}
    assert macros["fill_window"](sql, "true") == f"select {macros['sql_literal'](text)} where true"


def test_a_model_asks_for_one_window_only():
    macros = windows()
    assert macros["touched"]("day") == macros["touched"]("day")
    with pytest.raises(
        ValueError, match="m asks for two different windows, touched\\('day'\\) and rebuild_when_changed"
    ):
        macros["rebuild_when_changed"]()
    with pytest.raises(ValueError, match="m asks for two different windows"):
        macros["touched"]("customer_id")


def test_only_an_incremental_model_asks_for_a_window():
    with pytest.raises(ValueError, match="m is ephemeral, and only an incremental model can ask for a window"):
        windows(materialized="ephemeral")["touched"]("day")
    assert windows(resource_type="unit_test")["touched"]("day") == "true"
    macros = windows()
    with pytest.raises(ValueError, match="another model asked for"):
        macros["requested_window"](f"select 1 where {macros['_placeholder']()}")
    macros["touched"]("day")
    with pytest.raises(ValueError, match="does not use it"):
        macros["requested_window"]("select 1")


def test_a_row_key_tells_any_two_rows_apart():
    texts = ["a", "b", "ab", "", None, "-", "a-", "-a", "1:a", "1:", "a\x1fb", "b\x1fa", "\x1e", "a\x1f"]
    rows = [[one, other] for one in texts for other in texts]
    duck = duckdb.connect()
    duck.execute("create table t (a text, b text)")
    duck.executemany("insert into t values (?, ?)", rows)
    assert duck.sql(f"select count(distinct {call('row_key', ['a', 'b'])}) from t").fetchone() == (len(rows),)


def commit(version: int, operation: str, days_ago: float) -> dict[str, Any]:
    at = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=days_ago)
    return {
        "version": version, "operation": operation, "committed_at": int(at.timestamp() * 1000), "is_readable": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([("SET TBLPROPERTIES", 9)], "none"),
        ([("OPTIMIZE", 9), ("VACUUM START", 8), ("VACUUM END", 8), ("CHANGE COLUMNS", 0)], "none"),
        ([("MERGE", 1), ("SET TBLPROPERTIES", 1)], "changed rows"),
        ([("VACUUM START", 20), ("CHANGE COLUMN", 20), ("MERGE", 6)], "changed rows"),
        ([("OPTIMIZE", 6), ("MERGE", 1)], "changed rows"),
        # VACUUM may have taken what was replaced
        ([("OPTIMIZE", 8), ("MERGE", 1)], "all"),
        ([("MERGE", 8), ("MERGE", 1)], "all"),
        ([("MERGE", 1), ("WRITE", 1)], "all"),
        ([("SOMETHING NEW", 1)], "all"),
    ],
)
def test_what_changed_of_an_input_is_told_by_its_commits(later: list[tuple[str, float]], expected: str):
    """Since version 4, which the model read 30 days ago; an input need not be delivered every week."""
    commits = [commit(4, "SET TBLPROPERTIES", 30)] + [commit(5 + i, *what) for i, what in enumerate(later)]
    node = SimpleNamespace(columns={"day": 1, "id": 1, "batch_id": 1})

    def changed(position: str) -> str:
        stubs = {
            "commits_of": lambda relation, limit: commits[::-1][:limit],
            "node_of": lambda relation: node,
            "unique_key_of": lambda relation: ["id"],
            "name_table": lambda relation: "",
            "run_query": lambda sql: SimpleNamespace(rows=[[7]]),
            "graph": {},
            "invocation_id": "1",
        }
        arguments = ("silver.input", "day", position, commits[-1]["version"])
        return call("_changed_rows", *arguments, variables={"time_travel_days": 7}, **stubs)

    read_at = commits[0]["committed_at"]
    for position, batch in ((f"4@{read_at}", 7), (f"4@{read_at}@12", 12)):
        found = changed(position)
        assert (
            "changed rows" if found.startswith("select day from (select * from silver.input ") else found
        ) == expected
        if expected == "changed rows":
            assert "silver.input version as of 4" in found
            assert f"where batch_id > {batch})" in found
    assert changed(f"4@{commits[-1]['committed_at']}") == "all", "made anew since"
    commits[0]["is_readable"] = False
    assert changed(f"4@{read_at}") == ("none" if expected == "none" else "all")


@pytest.mark.parametrize(("key", "partition"), [("a", "a"), (["a", "b"], "a, b")])
def test_deduplicate_keeps_the_first_row_of_each_key(key: str | list[str], partition: str):
    assert call("deduplicate", "judged", key, ["c desc", "d"]) == (
        "select * from ( select *, row_number() over ( "
        f"partition by {partition} order by c desc, d ) as _rank from judged ) where _rank = 1"
    )


def test_the_newest_row_goes_by_the_config_of_the_model():
    config = {"unique_key": ["a", "b"], "newest_by": ["c", "record_hash"]}
    assert "partition by a, b order by c desc, record_hash desc, source_file, record_number" in call(
        "latest", "judged", config=config
    )
    assert "partition by a order by c desc, source_file" in call("latest", "judged", "a", ["c"], config=config)


def pattern(sql: str, start: str) -> str:
    """The regular expression in a rendered condition that begins so."""
    [found] = set(re.findall(rf"rlike '({re.escape(start)}[^']*)'", sql))
    return found


def money_pattern() -> str:
    return pattern(call("to_money", "x"), "^-?[0-9]+(")


@pytest.mark.parametrize("text", ["6", "-6", "+6", "6.0", "6.000", "007"])
def test_a_whole_number_may_be_written_as_a_float(text: str):
    assert re.fullmatch(pattern(call("to_whole", "x"), "^[-+]"), text)


@pytest.mark.parametrize("text", ["", "1,000", "1e3", "6.5", "6.01", "0x1", "6 0", "six", "--6"])
def test_what_may_mean_another_number_is_none(text: str):
    assert not re.search(pattern(call("to_whole", "x"), "^[-+]"), text)


def with_comma(text: str) -> str | None:
    sql = call("_number", "x", judged_meta={"decimal_mark": ","}.get)
    fits = re.search(pattern(sql, "^[-+]"), text)
    return text.translate({ord(","): ".", ord("."): None}) if fits else None


@pytest.mark.parametrize(
    ("text", "number"),
    [("2,50", "2.50"), ("-1.234,5", "-1234.5"), ("1.234.567", "1234567"), ("6,0", "6.0"), ("7", "7")],
)
def test_a_number_may_have_a_decimal_comma(text: str, number: str):
    assert with_comma(text) == number


@pytest.mark.parametrize("text", ["2.50", "1.2345,0", "1234.567,0", "1,234.50", "1,2,3", ",5", ".123", ""])
def test_with_a_decimal_comma_a_point_only_parts_groups_of_three(text: str):
    assert with_comma(text) is None


def test_null_markers_are_whole_texts_in_any_case():
    sql = call("plain_text", "x", judged_meta=lambda _: ["null", "n/a"])
    assert sql.endswith("end, '^(?i:null|n/a)\\u0024', ''), '')")


@pytest.mark.parametrize(
    "formats", [["M/d/yyyy", "d/M/yyyy"], ["yyyy-MM-dd", "yyyy-dd-MM"], ["iso8601", "d.M.yyyy", "M.d.yyyy"]]
)
def test_formats_that_read_one_text_differently_are_refused(formats: list[str]):
    with pytest.raises(Exception, match="must not read the same text differently"):
        call("to_time", "x", formats, exceptions=SimpleNamespace(raise_compiler_error=refuse))


@pytest.mark.parametrize(
    "formats", [["M/d/yyyy", "MM/dd/yyyy"], ["yyyy-MM-dd", "d.M.yyyy"], ["yyyy-MM-dd'T'HH:mm", "iso8601"]]
)
def test_other_formats_may_stand_side_by_side(formats: list[str]):
    assert "try_to_timestamp" in call("to_time", "x", formats)


def test_a_letter_that_is_no_format_is_refused():
    with pytest.raises(Exception, match="has 'a'"):
        call("to_time", "x", ["M/d/yyyy H:mm a"], exceptions=SimpleNamespace(raise_compiler_error=refuse))


@pytest.mark.parametrize("text", ["0", "12", "-1", "2.5", "2.5501", "00.10", "-0.0001"])
def test_money_takes_a_plain_decimal(text: str):
    assert re.fullmatch(money_pattern(), text)


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "5.", "1.00001", "1e3", "1,5", "£1", "+1", "1 0", "NaN", "0x1", "2.5.1"]
)
def test_money_takes_nothing_that_a_cast_would_bend(text: str):
    assert not re.search(money_pattern(), text)


RULES = {"id_present": "id is not null", "size_valid": "size > 0 or size is null"}
MODEL = SimpleNamespace(config=SimpleNamespace(meta={"rules": RULES}))


def test_rules_compile_into_one_list_in_the_order_of_their_declaration():
    assert call("violated_rules", model=MODEL) == (
        "case when unreadable_reason is not null then array(unreadable_reason) else array_compact(array( "
        "case when not coalesce(id is not null, false) then 'id_present' end, "
        "case when not coalesce(size > 0 or size is null, false) then 'size_valid' end )) end"
    )


def test_rules_are_not_asked_for_while_parsing():
    assert call("violated_rules", execute=False) == "array()"


@pytest.mark.parametrize(
    ("root", "env", "expected"),
    [
        (".lake/landing", {}, "/home/me/lake house/.lake/landing"),
        (".lake/landing/", {}, "/home/me/lake house/.lake/landing"),
        ("/data/landing", {}, "/data/landing"),
        ("/data/land ing//", {}, "/data/land ing"),
        ("../landing", {}, "/home/me/landing"),
        ("./a/../landing", {}, "/home/me/lake house/landing"),
        ("/data//a/./../landing", {}, "/data/landing"),
        ("s3a://bucket/landing/", {}, "s3a://bucket/landing"),
        ("abfss://box@account.dfs.core.windows.net/landing", {}, "abfss://box@account.dfs.core.windows.net/landing"),
        ("/data/landing", {"MEDALLION_LANDING": "drops"}, "/home/me/lake house/drops"),
        ("/data/landing", {"MEDALLION_LANDING": "/mnt/drops/"}, "/mnt/drops"),
        ("/data/landing", {"MEDALLION_LANDING": "gs://bucket"}, "gs://bucket"),
        ("/data/landing", {"MEDALLION_LANDING": ""}, "/data/landing"),
    ],
)
def test_landing_root_is_absolute_and_in_its_simplest_form(root: str, env: dict[str, str], expected: str):
    assert context({"landing_root": root}, env)["landing_root"]() == expected


def test_landing_root_of_a_project_named_by_a_relative_path_is_absolute():
    settings = {"env": {"PWD": "/home/me"}, "invocation_args_dict": {"project_dir": "lake"}}
    assert context({"landing_root": "drops"}, **settings)["landing_root"]() == "/home/me/lake/drops"


@pytest.mark.parametrize("env", [{}, {"MEDALLION_HOME": ""}])
def test_the_lake_lies_in_the_project_unless_said(env: dict[str, str]):
    assert context(env=env)["lake_location"]("gold", "t") == "/home/me/lake house/.lake/warehouse/gold.db/t"


@pytest.mark.parametrize("root", ["/data/landing", "/data/it's 100%+", r"/data/back\slash", "s3a://bucket/landing"])
def test_source_file_is_the_path_below_the_landing_root(root: str):
    sql = call("source_file_of", "path", variables={"landing_root": root})
    root_literal = re.search(r"> 0 then substring\(.*\+ length\(('.+')\)\) else", sql)[1]
    assert sql == (
        f"case when instr(path, {root_literal}) > 0 "
        f"then substring(path, instr(path, {root_literal}) + length({root_literal})) "
        f"else raise_error(concat('The file ', path, ' is not below the landing root ', {root_literal})) end"
    )
    assert read_literal(root_literal) == root + "/"


def test_spark_decodes_the_path_of_a_file():
    assert call("spark__plain_path", "uri") == "url_decode(replace(uri, '+', '%2B'))"


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("csv", {"mode": "DROPMALFORMED"}),
        ("csv", {"header": "true"}),
        ("csv", {"delimiter": ";"}),
        ("csv", {"pathGlobFilter": "*.csv"}),
        ("csv", {"multiLine": "false"}),
        ("csv", {"quote": "''"}),
        ("csv", {"sep": ""}),
        ("csv", {"escape": None}),
        ("json", {"encoding": "latin1"}),
        ("json", {"sep": ";"}),
    ],
)
def test_an_option_that_could_lose_records_is_refused(file_format: str, options: dict):
    def refuse(message: str):
        raise ValueError(message)

    exceptions = SimpleNamespace(raise_compiler_error=refuse)
    with pytest.raises(ValueError, match=f"Source returns: the option {next(iter(options))} = .* cannot be used"):
        call("_reader_options", "returns", {"format": file_format, "options": options}, exceptions=exceptions)


def test_the_options_of_a_csv_source_have_defaults():
    defaults = {"sep": ",", "quote": '"', "escape": '"'}
    assert call("_reader_options", "returns", {"format": "csv"}) == defaults
    own = {"sep": "||", "quote": "'", "encoding": "latin1"}
    read = {"sep": "||", "quote": "'", "escape": "'"}
    assert call("_reader_options", "returns", {"format": "csv", "options": own}) == read
    assert call("_reader_options", "returns", {"format": "json", "options": {}}) == {}


def test_a_quarantine_takes_the_new_records_that_break_a_rule():
    sql = call("quarantine", "silver.judged", "bronze.b", new_batches=lambda bronze: f"{bronze}.id > 3 /* plan */")
    assert sql.endswith("from silver.judged where size(violated_rules) > 0 and bronze.b.id > 3 /* plan */")
    assert {"violated_rules", "record", "source_file", "ingested_at"} <= set(re.split(r"[ ,]+", sql))
