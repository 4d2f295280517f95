"""The stand-in for dbt_utils does what the documentation of dbt_utils says. DuckDB runs its SQL: it is plain SQL."""

from pathlib import Path
from types import SimpleNamespace

import duckdb
import jinja2
import pytest

pytestmark = pytest.mark.engines("spark")

MACROS = Path(__file__).resolve().parents[1] / "packages" / "dbt_utils" / "macros"

ROWS = """(
    select * from (values
        (1, 0, 'a'), (2, 5, 'a'), (2, 5, 'b'), (3, 10, 'b'), (3, 10, 'b'), (4, null, null), (4, null, null)
    ) as rows (id, amount, letter)
)"""


def failures(test: str, **arguments) -> list[tuple]:
    """The rows for which a generic test fails."""
    source = (MACROS / f"{test}.sql").read_text().replace("{% test", "{% macro").replace("{% endtest", "{% endmacro")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    adapter = SimpleNamespace(quote=lambda name: f'"{name}"')
    template = environment.from_string(source, globals={"adapter": adapter})
    sql = getattr(template.module, test)(model=ROWS, **arguments)
    return sorted(duckdb.sql(sql).fetchall(), key=str)


@pytest.mark.parametrize("quote_columns", [False, True])
def test_unique_combination_of_columns(quote_columns):
    def unique(*columns):
        return failures(
            "unique_combination_of_columns", combination_of_columns=list(columns), quote_columns=quote_columns
        )

    # one failure a combination, however often it is there; NULLs are equal
    assert unique("id", "letter") == [(3, "b"), (4, None)]
    assert unique("id") == [(2,), (3,), (4,)]


@pytest.mark.parametrize(
    ("bounds", "outside"),
    [
        ({"min_value": 0}, []),
        ({"min_value": 0, "inclusive": False}, [0]),
        ({"min_value": 1}, [0]),
        ({"max_value": 10}, []),
        ({"max_value": 10, "inclusive": False}, [10, 10]),
        ({"min_value": 1, "max_value": 9}, [0, 10, 10]),
        ({"max_value": "id * 3"}, [10, 10]),
        ({"min_value": "id + 3 - 3", "max_value": 100}, [0]),
        ({"min_value": 20, "max_value": -20}, [0, 5, 5, 10, 10]),
        ({}, []),
    ],
)
def test_accepted_range(bounds, outside):
    """A NULL is never outside."""
    assert sorted(row[1] for row in failures("accepted_range", column_name="amount", **bounds)) == outside


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({"expression": "amount >= 0"}, []),
        ({"expression": "amount > 0"}, [1]),
        ({"expression": "amount > 0 or id = 1"}, []),
        ({"expression": "coalesce(amount > 0, false)"}, [1, 4, 4]),
        ({"expression": "= 'a'", "column_name": "letter"}, [2, 3, 3]),
        ({"expression": "+ 1 > id", "column_name": "amount"}, [1]),
    ],
)
def test_expression_is_true(arguments, ids):
    """An expression that is NULL is no failure."""
    assert sorted(row[0] for row in failures("expression_is_true", **arguments)) == ids


def test_every_macro_is_described():
    import yaml

    described = yaml.safe_load((MACROS / "_macros.yml").read_text())["macros"]
    assert {macro["name"] for macro in described} == {f"test_{path.stem}" for path in MACROS.glob("*.sql")}
