"""What the small macros render, without Spark: dbt's own jinja, a base context and stubs for what a run would add."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from conftest import ROOT
from dbt.clients.jinja import MacroGenerator
from dbt.context.base import generate_base_context
from dbt_common.context import set_invocation_context

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
    for folder in ("engines", "incremental", "ingest", "silver"):
        for path in (ROOT / "macros" / folder).glob("*.sql"):
            text = path.read_text()
            for name in re.findall(r"{%-? macro (\w+)\(", text):
                macro = SimpleNamespace(name=name, macro_sql=text, unique_id=name, original_file_path=str(path))
                names[name] = MacroGenerator(macro, names)
    names.update(
        {
            "target": SimpleNamespace(host="local"),
            "execute": True,
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


@pytest.mark.parametrize("text", HOSTILE)
def test_a_plan_comes_back_from_the_sql_it_travelled_in(text: str):
    plan = {"consumed": {text: 7}, "replace_where": text, "files": [{"uri": text, "size": 3}], "skip": False}
    macros = context()
    comment = macros["write_plan"](plan).strip()
    sql = f"select '/* not a plan */' as a -- {{}}\nwhere true {comment} and 1 = 1 /* nor this */"

    assert macros["read_plan"](sql) == plan
    # nothing inside may begin or end a comment, or break a line
    assert re.fullmatch(r"/\* medallion [^*/\n]+ \*/", comment)


def test_sql_without_a_plan_has_an_empty_one():
    assert call("read_plan", "select 1 /* medallions */") == {}


def test_a_row_key_tells_any_two_rows_apart():
    texts = ["a", "b", "ab", "", None, "-", "a-", "-a", "1:a", "1:", "a\x1fb", "b\x1fa", "\x1e", "a\x1f"]
    rows = [[one, other] for one in texts for other in texts]
    duck = duckdb.connect()
    duck.execute("create table t (a text, b text)")
    duck.executemany("insert into t values (?, ?)", rows)
    assert duck.sql(f"select count(distinct {call('row_key', ['a', 'b'])}) from t").fetchone() == (len(rows),)


@pytest.mark.parametrize(("key", "partition"), [("a", "a"), (["a", "b"], "a, b")])
def test_deduplicate_keeps_the_first_row_of_each_key(key: str | list[str], partition: str):
    assert call("deduplicate", "judged", key, ["c desc", "d"]) == (
        "select * from ( select *, row_number() over ( "
        f"partition by {partition} order by c desc, d ) as _rank from judged ) where _rank = 1"
    )


def test_non_blank_text_is_null_when_only_spaces_are_left():
    assert call("non_blank", "fields['a']") == "nullif(trim(fields['a']), '')"


def money_pattern() -> str:
    sql = call("to_money", "x")
    found = re.fullmatch(r"case when trim\(x\) rlike '(.+)' then try_cast\(trim\(x\) as decimal\(18, 4\)\) end", sql)
    assert found, sql
    return found[1]


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


@pytest.mark.parametrize("root", ["/data/landing", "/data/it's 100%+", r"/data/back\slash", "s3a://bucket/landing"])
def test_source_file_is_the_decoded_path_below_the_landing_root(root: str):
    sql = call("source_file_of", "_metadata.file_path", variables={"landing_root": root})
    plain = "url_decode(replace(_metadata.file_path, '+', '%2B'))"
    root_literal = re.search(r"> 0 then substring\(.*\+ length\(('.+')\)\) else", sql)[1]
    assert sql == (
        f"case when instr({plain}, {root_literal}) > 0 "
        f"then substring({plain}, instr({plain}, {root_literal}) + length({root_literal})) "
        f"else raise_error(concat('The file ', {plain}, ' is not below the landing root ', {root_literal})) end"
    )
    assert read_literal(root_literal) == root + "/"


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
    assert call("_reader_options", "returns", {"format": "csv", "options": own}) == {**own, "escape": "'"}
    assert call("_reader_options", "returns", {"format": "json", "options": {}}) == {}


def test_a_quarantine_takes_the_new_records_that_break_a_rule():
    # the comment is the plan of new_batches, which the materialization needs
    sql = call("quarantine", "silver.judged", "bronze.b", new_batches=lambda bronze: f"{bronze}.id > 3 /* plan */")
    assert sql.endswith("from silver.judged where size(violated_rules) > 0 and bronze.b.id > 3 /* plan */")
    assert {"violated_rules", "record", "source_file", "ingested_at"} <= set(re.split(r"[ ,]+", sql))
