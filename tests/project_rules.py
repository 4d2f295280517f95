"""House rules on the manifest that dbt-bouncer cannot express, or that must not depend on it.

Each rule is a function that lists what breaks it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Node = dict[str, Any]
Manifest = dict[str, Any]
Rule = Callable[[Manifest], list[str]]

# What a model in a folder may read, by the folder of what it reads; the longest folder that fits counts.
MAY_READ = {
    "models/bronze": {"landing"},
    "models/silver": {
        "models/bronze",
        "models/silver",
        "models/silver/judged",
        "models/silver/quarantine",
        "seeds",
    },
    "models/silver/judged": {"models/bronze", "seeds"},
    "models/silver/quarantine": {"models/bronze", "models/silver/judged", "seeds"},
    "models/gold": {"models/silver", "models/gold", "seeds", "snapshots", "secrets"},
    "models/ops": {"models/bronze", "models/silver", "models/silver/quarantine", "models/gold", "models/ops", "ops"},
    "snapshots": {"seeds"},  # what has a feed tells its history itself; a snapshot goes by run
}


def own(manifest: Manifest, *types: str) -> list[Node]:
    """Nodes of this project of the given resource types."""
    nodes = (*manifest["nodes"].values(), *manifest["sources"].values(), *manifest["exposures"].values())
    return [n for n in nodes if n["resource_type"] in types and n["package_name"] == "medallion"]


def models(manifest: Manifest, folder: str = "models/") -> list[Node]:
    return [n for n in own(manifest, "model") if n["original_file_path"].startswith(folder)]


def macros(manifest: Manifest) -> list[Node]:
    return [m for m in manifest["macros"].values() if m["package_name"] == "medallion"]


def folder_of(node: Node) -> str:
    """The entry of MAY_READ that a node belongs to; a source's own name for a source."""
    if node["resource_type"] == "source":
        return node["source_name"]
    path = Path(node["original_file_path"]).parent
    return next((str(p) for p in (path, *path.parents) if str(p) in MAY_READ), path.parts[0])


def keys(model: Node) -> list[str]:
    """Columns of the unique_key of a model."""
    key = model["config"].get("unique_key") or []
    return [key] if isinstance(key, str) else key


def checks_of(manifest: Manifest, model: Node) -> Iterator[tuple[str, Node]]:
    """Name and arguments of the generic tests of a model, without those that only look at some rows or only warn."""
    for test in own(manifest, "test"):
        weak = test["config"]["severity"].lower() != "error" or test["config"].get("where")
        if test.get("attached_node") == model["unique_id"] and test.get("test_metadata") and not weak:
            yield test["test_metadata"]["name"], {**test["test_metadata"]["kwargs"], "column": test["column_name"]}


def plain_sql(model: Node) -> str:
    """SQL of a model in lower case, without comments, jinja statements and quoted texts."""
    patterns = r"{#.*?#}", r"{%.*?%}", r"--[^\n]*", r"/\*.*?\*/", r"'(?:[^'\\]|\\.)*'"
    return re.sub("|".join(patterns), " ", model["raw_code"], flags=re.DOTALL).lower()


# The rules ------------------------------------------------------------------------------------------------------------


def layers_read_what_they_may(manifest: Manifest) -> list[str]:
    found = []
    everything = {**manifest["nodes"], **manifest["sources"]}
    for node in own(manifest, "model", "snapshot"):
        for parent in (everything[name] for name in node["depends_on"]["nodes"]):
            if folder_of(parent) not in MAY_READ.get(folder_of(node), set()):
                found.append(f"{node['name']} reads {parent['name']}")
    for exposure in own(manifest, "exposure"):
        found += [
            f"exposure {exposure['name']} reads {name}"
            for name in exposure["depends_on"]["nodes"]
            if folder_of(everything[name]) not in ("models/gold", "snapshots")
        ]
    return found


def identifiers_are_unique_across_schemas(manifest: Manifest) -> list[str]:
    """Threads share one session, and an identifier is also the name of a consumed position."""
    names = [n["alias"].lower() for n in own(manifest, "model", "seed", "snapshot")]
    return sorted({name for name in names if names.count(name) > 1})


# Written by the reading of files itself for every record; a test of each would be a query a table and run.
LINEAGE = {"batch_id", "source_file", "record_number"}


def merge_keys_are_tested(manifest: Manifest) -> list[str]:
    found = []
    for model in models(manifest):
        if model["config"]["incremental_strategy"] != "merge" or model["config"]["materialized"] != "incremental":
            continue
        tests = list(checks_of(manifest, model))
        key = keys(model)
        unique = any(
            (name == "unique" and [a["column"]] == key)
            or (name == "unique_combination_of_columns" and sorted(a["combination_of_columns"]) == sorted(key))
            for name, a in tests
        )
        if not key or not unique:
            found.append(f"{model['name']}: no test that {key} is unique")
        found += [
            f"{model['name']}: no test that {column} is not null"
            for column in key
            if column not in LINEAGE and ("not_null", column) not in [(name, a["column"]) for name, a in tests]
        ]
    return found


def columns_named_in_configs_exist(manifest: Manifest) -> list[str]:
    """Keys, pruning, conditions and windows name columns as text: nothing else would notice a renamed one."""
    found = []
    for model in models(manifest):
        config = model["config"]
        named = keys(model)
        named += config.get("newest_by") or []
        if config.get("merge_prune"):
            named.append(config["merge_prune"]["column"])
        named += re.findall(r"touched\(\s*'(\w+)'", model["raw_code"])
        found += [f"{model['name']}: {column}" for column in sorted(set(named) - set(model["columns"]))]
    return found


def every_model_asks_for_a_window(manifest: Manifest) -> list[str]:
    """Without any it would read everything on each run; that it asks for one only is for the macros to see."""
    words = r"\b(?:touched|rebuild_when_changed|new_batches|quarantine|read_new_files)\("
    return [
        model["name"]
        for model in models(manifest)
        if model["config"]["materialized"] == "incremental" and not re.search(words, model["raw_code"])
    ]


def every_record_is_accounted_for(manifest: Manifest) -> list[str]:
    """One model a source answers for its records: it reads the judged ones and comes after their quarantine."""
    found = []
    for source in (s for s in own(manifest, "source") if s["source_name"] == "landing"):
        name = source["name"]
        answering = [m for m in models(manifest) if m["config"].get("ledger", {}).get("source") == name]
        parents = {f"model.medallion.{layer}_{name}" for layer in ("judged", "quarantine")}
        if len(answering) != 1 or not parents <= set(answering[0]["depends_on"]["nodes"]):
            found.append(f"{name}: {', '.join(m['name'] for m in answering) or 'no model'}")
    for model in models(manifest):
        if (model["config"].get("newest_by") or ["record_hash"])[-1] != "record_hash":
            found.append(f"{model['name']}: newest_by does not end in record_hash")
        says_version = [c for c in model["config"].get("newest_by") or ["record_hash"] if not c.startswith("is_")][:-1]
        if says_version and model["config"].get("ledger") and "version_batch_id" not in model["columns"]:
            found.append(f"{model['name']}: has no column version_batch_id")
    return found


def gold_is_a_contract(manifest: Manifest) -> list[str]:
    found = []
    for model in models(manifest, "models/gold"):
        checks = {
            "no enforced contract": model["config"]["materialized"] == "ephemeral" or model["contract"]["enforced"],
            "a column without data_type": all(c["data_type"] for c in model["columns"].values()),
            "a description without Grain": "Grain" in model["description"],
            "no owner": model["config"]["meta"].get("owner"),
        }
        found += [f"{model['name']}: {text}" for text, fine in checks.items() if not fine]
    return found


def gold_says_why(manifest: Manifest) -> list[str]:
    """`medallion why` needs a condition for each silver table that answers for records and is behind a gold table."""
    nodes = manifest["nodes"]

    def made_of(model: Node) -> set[str]:
        found = set()
        for parent in (nodes[name] for name in model["depends_on"]["nodes"] if name in nodes):
            if parent["config"].get("ledger"):
                found.add(parent["name"])
            elif "ephemeral" in parent["config"].values() or "replace_where" in parent["config"].values():
                found |= made_of(parent)
        return found

    found = []
    for model in models(manifest, "models/gold"):
        why = model["config"]["meta"].get("why", {})
        if model["config"]["materialized"] != "ephemeral" and set(why) != made_of(model):
            found.append(f"{model['name']}: meta why must name {', '.join(sorted(made_of(model)))}")
        named = set(re.findall(r"\bgold[.](\w+)", " ".join(why.values())))
        found += [f"{model['name']}: no column {column}" for column in sorted(named - set(model["columns"]))]
    return found


def gold_is_used(manifest: Manifest) -> list[str]:
    readers = (*models(manifest, "models/gold"), *own(manifest, "exposure"))
    used = {name for reader in readers for name in reader["depends_on"]["nodes"]}
    return [m["name"] for m in models(manifest, "models/gold") if m["unique_id"] not in used]


def everything_is_described(manifest: Manifest) -> list[str]:
    found = []
    for node in own(manifest, "model", "seed", "snapshot", "source", "exposure"):
        if not node["description"].strip():
            found.append(node["unique_id"])
        columns = node.get("columns", {})
        if not columns and node["resource_type"] != "exposure":
            found.append(f"{node['unique_id']}: no columns")
        found += [f"{node['unique_id']}.{c['name']}" for c in columns.values() if not c["description"].strip()]
    found += [t["unique_id"] for t in manifest["unit_tests"].values() if not t["description"].strip()]
    return found


def column_descriptions_fit_the_metastore(manifest: Manifest) -> list[str]:
    """Hive's metastore takes 256 characters of a column's comment; of a longer one it tells after ten attempts only."""
    nodes = own(manifest, "model", "seed", "snapshot")
    columns = [(node, column) for node in nodes for column in node.get("columns", {}).values()]
    return [f"{n['unique_id']}.{c['name']}" for n, c in columns if len(c["description"]) > 256]


def every_macro_is_described(manifest: Manifest) -> list[str]:
    """Those that are private to a file are explained beside them. dbt fills in the arguments that YAML leaves out."""
    found = []
    for macro in macros(manifest):
        if macro["name"].startswith("_"):
            continue
        if not macro["description"].strip():
            found.append(macro["name"])
        if not macro["name"].startswith("materialization_"):  # dbt gives these an argument of its own
            bare = [a["name"] for a in macro["arguments"] if not (a["description"].strip() and a["type"])]
            found += [f"{macro['name']}({argument})" for argument in bare]
    return found


def inserts_do_not_read_what_they_write(manifest: Manifest) -> list[str]:
    """Models write to the tables of ops side by side; Delta refuses an INSERT whose own reading another one changed."""
    found = []
    for macro in macros(manifest):
        for statement in re.findall(r"{%-? call statement.*?endcall", macro["macro_sql"], re.DOTALL):
            written = re.search(r"insert into {{ (\w+)\(\) }}", statement)
            if written and len(re.findall(rf"\b{written[1]}\(", statement)) > 1:
                found.append(f"{macro['name']}: {written[1]}")
    return found


def bronze_is_protected(manifest: Manifest) -> list[str]:
    found = []
    for model in models(manifest, "models/bronze"):
        config = model["config"]
        checks = {
            "not incremental": config["materialized"] == "incremental",
            "full_refresh is not false": config["full_refresh"] is False,
            "does not append": config["incremental_strategy"] == "append",
            "not append-only": config["tblproperties"].get("delta.appendOnly") == "true",
        }
        found += [f"{model['name']}: {text}" for text, fine in checks.items() if not fine]
    return found


def no_description_looks_like_a_view(manifest: Manifest) -> list[str]:
    """dbt-spark finds out what a table is by these words in a text that holds the comments too."""
    found = []
    for node in own(manifest, "model", "seed", "snapshot"):
        texts = {node["name"]: node["description"], **{c["name"]: c["description"] for c in node["columns"].values()}}
        found += [name for name, text in texts.items() if re.search(r"Type: VIEW|Provider: ", text, re.IGNORECASE)]
    return found


def judging_never_stops_at_a_value(manifest: Manifest) -> list[str]:
    """A cast, or a function that reads a text, raises under ANSI and gives NULL without; its try_ form never raises."""
    names = "cast|to_timestamp|to_date|to_number|to_binary|parse_json|int|bigint|double|date|timestamp"
    readers = rf"(?<![\w.])(?:{names})\s*\(|::"
    return [
        f"{model['name']}: {found[0]}"
        for model in models(manifest, "models/silver/judged")
        if (found := re.search(readers, plain_sql(model)))
    ]


def models_are_plain_sql(manifest: Manifest) -> list[str]:
    """What other engines do not have, and what would last beyond the model: a SET holds for the whole session."""
    return [
        f"{model['name']}: {found[0]}"
        for model in models(manifest)
        if (found := re.search(r"\bgroup\s+by\s+all\b|\bqualify\b|(?<!\w)set\s", plain_sql(model)))
    ]


def hooks_run_and_leave_nothing_behind(manifest: Manifest) -> list[str]:
    """dbt-spark never runs a hook outside the transaction, and ignores sql_header; a SET reaches every thread."""
    found = []
    for node in own(manifest, "model", "seed", "snapshot"):
        for hook in node["config"].get("pre-hook", []) + node["config"].get("post-hook", []):
            if not hook["transaction"] or re.match(r"\s*set\s", hook["sql"], re.IGNORECASE):
                found.append(f"{node['name']}: {hook['sql']}")
        if node["config"].get("sql_header"):
            found.append(f"{node['name']}: sql_header")
    return found


ROOMS = [
    "patches",
    "materializations",
    "upkeep",
    "releases",
    "drift",
    "bronze",
    "silver",
    "gold",
    "contracts",
    "access",
    "ledger",
    "run",
    "engines",
]


def rooms_import_in_one_direction(manifest: Manifest) -> list[str]:
    """A macro calls macros of its own room and of those below it in ROOMS; what is private to a room stays there.

    Only the engines' room knows the engine. dbt's patches are called by dbt alone.
    """
    room = {m["name"]: Path(m["original_file_path"]).parts[1] for m in macros(manifest)}
    found = []
    for macro in macros(manifest):
        here = room[macro["name"]]
        text = re.sub(r"{#.*?#}", "", macro["macro_sql"], flags=re.DOTALL)
        for name in set(re.findall(r"(?<![\w.'])([a-z_]\w+)\(", text)) & room.keys() - {macro["name"]}:
            there = room[name]
            if ROOMS.index(there) < ROOMS.index(here):
                found.append(f"{macro['name']} ({here}) calls {name} ({there})")
            elif name.startswith("_") and there != here:
                found.append(f"{macro['name']} ({here}) calls {name}, which is private to {there}")
        if here != "engines" and re.search(r"(?<!on_)\bengine\(|target\.(?:host|type|name)", text):
            found.append(f"{macro['name']} asks for the engine")
    return found


def every_rule_is_broken_in_a_unit_test(manifest: Manifest) -> list[str]:
    """The unit tests of a judged model show, together, a record for each of its rules."""
    found = []
    broken: dict[str, str] = defaultdict(str)
    for test in manifest["unit_tests"].values():
        model = manifest["nodes"][test["depends_on"]["nodes"][0]]
        rules = model["config"]["meta"].get("rules")
        if rules:
            broken[model["name"]] += "".join(row["violated_rules"] for row in test["expect"]["rows"])
    for model in manifest["nodes"].values():
        rules = model["config"].get("meta", {}).get("rules", {})
        shown = broken[model["name"]]
        # one that only warns is in no violated_rules
        strict = [rule for rule, told in rules.items() if not isinstance(told, dict) or told.get("severity") != "warn"]
        found += [f"{model['name']}: no unit test breaks {rule}" for rule in strict if f"'{rule}'" not in shown]
    return found


# Personal data: a column's YAML says so, `meta: {pii: ...}`; what is computed from one too, or `none` with a reason.
KINDS = {"email", "name", "id", "free_text", "none"}
LOOKS_PERSONAL = re.compile(
    r"e_?mail|phone|birth|street|iban|passport|ip_?address|^(customer|user|buyer)_?id$"
    r"|(first|last|full|user|customer|buyer)_?name",
    re.IGNORECASE,
)
WHOLE = {"record", "fields"}  # whole records; what is read from one is known by the columns of its source
MAY_SEE_PERSONS = {"engineers"}


def meta_of(column: Node) -> dict[str, Any]:
    return column["config"]["meta"]


def personal(node: Node) -> dict[str, str]:
    """The personal columns of a node that are declared, with their kinds."""
    kinds = {name: meta_of(column).get("pii", "none") for name, column in node.get("columns", {}).items()}
    return {name: kind for name, kind in kinds.items() if kind != "none"}


def expressions(sql: str) -> Iterator[tuple[str, str]]:
    """The named expressions of a model, each `... as name` back to the comma or select before it.

    Without the order of windows, and without the list of all fields of a record: they are no value of the column.
    """
    left_out = r"{#.*?#}|--[^\n]*|{%.*?%}|\b(?:ref|source|json_fields)\(.*?\)|\bover\s*\([^()]*\)"
    sql = re.sub(left_out, " ", sql, flags=re.DOTALL)
    for found in re.finditer(r"\bas\s+(\w+)", sql):
        depth, start = 0, found.start()
        while start and (depth or not re.match(r",|\b(?:select|from|join)\s", sql[start - 1 :])):
            start -= 1
            depth += (sql[start] in ")]}") - (sql[start] in "([{")
            if depth < 0:
                break
        if not re.match(r"from|join", sql[start - 1 :]):
            yield sql[start : found.start()], found[1]


def personal_words(manifest: Manifest, node: Node) -> set[str]:
    """What a personal value may be called in the SQL of a node: by its columns, and by those of all nodes before it."""
    everything = {**manifest["nodes"], **manifest["sources"]}
    parents = [everything[name] for name in node.get("depends_on", {}).get("nodes", [])]
    words = {word for parent in parents for word in personal_words(manifest, parent)}
    words |= {re.split(r"[.]", name)[-1] for name in personal(node)}
    harmless = {name for name, column in node.get("columns", {}).items() if meta_of(column).get("pii") == "none"}
    known = None
    while known != words:
        known = set(words)
        for expression, name in expressions(node.get("raw_code", "")):
            if name not in harmless and (words - WHOLE) & set(re.findall(r"\w+", expression)):
                words.add(name)
    return words - harmless


def personal_columns_are_declared(manifest: Manifest) -> list[str]:
    found = []
    for node in own(manifest, "model", "seed", "snapshot", "source"):
        words = personal_words(manifest, node)
        if words and folder_of(node) == "models/bronze":
            words |= WHOLE  # its SQL is a macro
        for name, column in node["columns"].items():
            kind = meta_of(column).get("pii")
            if kind is None and (name in words or LOOKS_PERSONAL.search(name)):
                found.append(f"{node['name']}.{name} holds or comes from personal data, and has no pii")
            elif kind is not None and kind not in KINDS:
                found.append(f"{node['name']}.{name}: pii is one of {', '.join(sorted(KINDS))}, not {kind}")
            elif kind == "none" and not meta_of(column).get("reason"):
                found.append(f"{node['name']}.{name}: pii none without a reason")
    return found


def gold_shows_no_person(manifest: Manifest) -> list[str]:
    """A personal column of gold is masked, in the YAML and in the SQL, or has an owner and a reason to be clear."""
    found = []
    for node in (*models(manifest, "models/gold"), *own(manifest, "snapshot")):
        for name in personal(node) if node["config"]["materialized"] != "ephemeral" else []:
            meta = meta_of(node["columns"][name])
            is_exempt = {"owner", "reason"} <= {key for key, text in (meta.get("clear") or {}).items() if text}
            masks = [expression for expression, alias in expressions(node["raw_code"]) if alias == name]
            if not meta.get("mask") and not is_exempt:
                found.append(f"{node['name']}.{name}: neither a mask nor clear with owner and reason")
            elif meta.get("mask") and not any(f"'{meta['mask']}') }}}}" in text for text in masks):
                found.append(f"{node['name']}.{name}: its SQL has no {{{{ mask(..., '{meta['mask']}') }}}} as {name}")
    return found


def clear_values_have_few_readers(manifest: Manifest) -> list[str]:
    """Tables say who reads them; those with addresses, names or free text in clear are for who may see persons."""
    found = []
    for node in own(manifest, "model", "seed", "snapshot"):
        if node["config"]["materialized"] == "ephemeral":
            continue
        readers = node["config"]["grants"].get("select", [])
        clear = [
            name
            for name, kind in personal(node).items()
            if kind != "id" and not meta_of(node["columns"][name]).get("mask")
        ]
        if not readers:
            found.append(f"{node['name']}: grants select to nobody")
        elif clear and not set(readers) <= MAY_SEE_PERSONS:
            found.append(f"{node['name']}: {', '.join(readers)} would see {', '.join(clear)}")
    return found


# The tests ------------------------------------------------------------------------------------------------------------


RULES = [
    layers_read_what_they_may,
    identifiers_are_unique_across_schemas,
    merge_keys_are_tested,
    columns_named_in_configs_exist,
    every_model_asks_for_a_window,
    every_record_is_accounted_for,
    gold_is_a_contract,
    gold_says_why,
    gold_is_used,
    everything_is_described,
    column_descriptions_fit_the_metastore,
    every_macro_is_described,
    inserts_do_not_read_what_they_write,
    bronze_is_protected,
    no_description_looks_like_a_view,
    judging_never_stops_at_a_value,
    models_are_plain_sql,
    hooks_run_and_leave_nothing_behind,
    rooms_import_in_one_direction,
    every_rule_is_broken_in_a_unit_test,
    personal_columns_are_declared,
    gold_shows_no_person,
    clear_values_have_few_readers,
]
