"""The floor of the benchmark: the project's tables by plain Spark SQL, without dbt and without its guarantees.

One Spark session with the settings of profiles.yml, every table computed again as a whole from the landing files. It
runs the statements of floor.sql, then compares what it wrote with the project's tables: a floor that writes something
else would measure nothing.
"""

from __future__ import annotations

import argparse
import codecs
import csv
import gzip
import json
import os
import time
from collections import defaultdict
from functools import reduce
from pathlib import Path
from typing import Any

import jinja2
import yaml

ROOT = Path(__file__).resolve().parents[1]
STATEMENTS = ROOT / "benchmarks" / "floor.sql"
LAYERS = ("bronze", "silver", "gold")


def settings() -> dict[str, str]:
    """Spark's settings in profiles.yml, environment variables filled in as dbt does."""
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text(encoding="utf-8"))["medallion"]
    given = profile["outputs"][profile["target"]]["server_side_parameters"]
    jinja = jinja2.Environment(autoescape=False)
    filled = {name: jinja.from_string(str(value)).render(env_var=os.environ.get) for name, value in given.items()}
    return {**filled, "spark.sql.ansi.enabled": "false"}  # dbt-spark sets that, whatever the profile says


def start_spark() -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("floor").enableHiveSupport()
    for name, value in settings().items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def landed_files(landing: Path, source: str) -> list[Path]:
    """The files of a source; Spark leaves hidden ones out as well."""
    return sorted(p for p in (landing / source).rglob("*") if p.is_file() and p.name[0] not in "._")


def header_of(file: Path) -> tuple[str, ...]:
    """The names in a CSV file's first line."""
    with (gzip.open if file.suffix == ".gz" else Path.open)(file, "rb") as handle:
        line = handle.readline().removeprefix(codecs.BOM_UTF8).decode()
    return tuple(next(csv.reader([line.rstrip("\r\n")]), ()))


def read_csv(spark: Any, files: list[Path]) -> Any:
    """CSV by header name: Spark matches columns by position, so files of one header are read together."""
    layouts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        if header := header_of(file):
            layouts[header].append(str(file))
    options = {"header": True, "multiLine": True, "escape": '"', "columnNameOfCorruptRecord": "_corrupt_record"}
    frames = []
    for header, paths in layouts.items():
        schema = ", ".join(f"`{name}` string" for name in (*header, "_corrupt_record"))
        frame = spark.read.options(**options).schema(schema).csv(paths)
        # the record as it came, in the order of its file: its MD5 settles which of two listings wins
        names = ", ".join(f"`{name}`" for name in header)
        text = f"to_csv(struct({names}), map('escape', '\"', 'ignoreLeadingWhiteSpace', 'false'))"
        record = f"coalesce(_corrupt_record, {text}) as record"
        frames.append(frame.selectExpr("*", record, "_metadata.file_path as source_file"))
    return reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)


def statements(landing: Path) -> list[str]:
    """The statements of floor.sql whose sources have files; `-- [a b]` opens a section that needs sources a and b."""
    found = []
    for section in STATEMENTS.read_text(encoding="utf-8").split("\n-- [")[1:]:
        needs, body = section.split("]", 1)
        if all(landed_files(landing, source) for source in needs.split()):
            found += [text.strip() for text in body.split(";\n") if text.strip()]
    paths = {"{landing}": str(landing), "{seeds}": str(ROOT / "seeds")}
    return [reduce(lambda text, item: text.replace(*item), paths.items(), text) for text in found]


def write_tables(spark: Any, landing: Path) -> float:
    """Everything once; returns seconds."""
    started = time.time()
    for layer in LAYERS:
        spark.sql(f"create schema if not exists {layer}")
    for source in ("orders", "products"):
        if files := landed_files(landing, source):
            read_csv(spark, files).createOrReplaceTempView(f"landed_{source}")
    for statement in statements(landing):
        spark.sql(statement)
    return time.time() - started


def figures(spark: Any, relation: str, columns: list[str] | None, money: str | None) -> tuple:
    """Row count and, of the named columns, a sum of row hashes and the sum of the money."""
    row_hash = f"xxhash64(to_json(struct({', '.join(columns)})))" if columns else "0"
    statement = f"select count(*), sum(cast({row_hash} as decimal(38, 0))), sum({money or 0}) from {relation}"
    return tuple(spark.sql(statement).first())


def compare(spark: Any, warehouse: Path) -> dict[str, Any]:
    """Differences between each table written here and the project's of that name, and what was compared.

    Bronze and quarantine hold a record in another form here, so of these the row counts count.
    """
    differences, revenue, tables = [], {}, 0
    for layer in LAYERS:
        for row in spark.sql(f"show tables in {layer}").collect():
            if row["isTemporary"]:
                continue
            name = f"{layer}.{row['tableName']}"
            columns = None
            if layer != "bronze" and "quarantine" not in name:
                columns = sorted(f"`{column}`" for column in spark.table(name).columns)
            money = next((m for m in ("net_revenue", "net_amount") if columns and f"`{m}`" in columns), None)
            ours = figures(spark, name, columns, money)
            theirs = figures(spark, f"delta.`{warehouse}/{layer}.db/{row['tableName']}`", columns, money)
            tables += 1
            if money:
                revenue[name] = str(ours[2])
            if ours != theirs:
                differences.append(f"{name}: rows, hash, revenue {theirs} in the project, {ours} in the floor")
    return {"tables": tables, "revenue": revenue, "differences": differences}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--started", type=float, required=True, help="When the parent started this process, epoch.")
    parser.add_argument("--warm", action="store_true", help="Write everything a second time.")
    parser.add_argument("--compare", type=Path, required=True, help="Warehouse folder of the project's lake.")
    parser.add_argument("--result", type=Path, required=True)
    given = parser.parse_args()
    spark = start_spark()
    session = time.time() - given.started
    result: dict[str, Any] = {"statements": len(statements(given.landing)), "session": session}
    write_tables(spark, given.landing)
    result["cold"] = time.time() - given.started
    if given.warm:
        result["warm"] = write_tables(spark, given.landing)
    result.update(compare(spark, given.compare))
    given.result.write_text(json.dumps(result), encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main()
