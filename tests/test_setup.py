"""Set-up: what people read when something is missing, and what is installed where."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medallion import setup

pytestmark = pytest.mark.engines()

ROOT = Path(__file__).resolve().parents[1]


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path):
    """A folder for a PATH of its own, with the few commands that make's recipes need."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "make", "sed"):
        (tools / name).symlink_to(shutil.which(name))
    return tools


@pytest.fixture
def checkout(tmp_path):
    """A checkout in a folder with a space, without an environment."""
    root = tmp_path / "my project"
    (root / "scripts").mkdir(parents=True)
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "package-lock.yml", "scripts/setup.py"):
        shutil.copy(ROOT / name, root / name)
    shutil.copy(setup.JAR_LIST, root / "scripts")
    return root


def make_setup(checkout: Path, machine: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        ["make", "setup", "ENGINE=spark"],
        cwd=checkout,
        env={"PATH": str(machine), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert len(said) == 1, done.stderr
    assert not (checkout / ".venv").exists()
    return done.returncode, said[0]


JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
OLD_PYTHON = 'case "$2" in *print*) echo 3.8;; *) exit 1;; esac'


def test_without_python(checkout, machine):
    status, said = make_setup(checkout, machine)
    assert status != 0
    assert said.startswith("Set-up stopped: Python 3.10 to 3.13 is needed (none found); install one")


@pytest.mark.parametrize(
    ("engine", "needs_java"), [("", False), ("ENGINE=sail", False), ("ENGINE=spark", True), ("ENGINE=both", True)]
)
def test_sail_needs_neither_java_nor_jars(checkout, with_python, engine, needs_java):
    goal = "test" if "both" in engine else "demo"
    done = subprocess.run(
        ["make", "--dry-run", goal, *([engine] if engine else [])],
        cwd=checkout,
        env={"PATH": str(with_python)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "setup.py environment" in done.stdout.replace('"', "")
    for word in ("setup.py java", "setup.py jars"):
        assert (word in done.stdout.replace('"', "")) is needs_java
    if goal == "demo":
        assert f"medallion demo --target {'local' if needs_java else 'sail'}" in done.stdout


@pytest.mark.parametrize("has_java", [True, False])
def test_the_tests_that_need_java_are_left_out_where_there_is_none(checkout, with_python, has_java):
    if has_java:
        executable(with_python / "java", JAVA_17)
    done = subprocess.run(
        ["make", "--dry-run", "test"], cwd=checkout, env={"PATH": str(with_python)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "MEDALLION_ENGINE=sail" in done.stdout
    assert ("MEDALLION_ENGINE=spark" in done.stdout) is has_java
    assert ("tests that need Spark are left out" not in done.stdout) is has_java


def test_an_engine_that_is_none(checkout, with_python):
    for goal, engine in (("setup", "duck"), ("demo", "both")):
        done = subprocess.run(
            ["make", "--dry-run", goal, f"ENGINE={engine}"],
            cwd=checkout,
            env={"PATH": str(with_python)},
            capture_output=True,
            text=True,
        )
        assert f"not {engine}." in done.stderr


def test_with_an_old_python(checkout, machine):
    executable(machine / "python3", OLD_PYTHON)
    status, said = make_setup(checkout, machine)
    assert status != 0
    assert "Python 3.10 to 3.13 is needed (only Python 3.8 found)" in said


def test_a_newer_python_of_another_name_is_found(checkout, machine):
    executable(machine / "python3", OLD_PYTHON)
    executable(machine / "python3.12", f'exec "{sys.executable}" "$@"')
    _, said = make_setup(checkout, machine)
    assert "no Java found" in said


def test_python_can_be_named(checkout, machine, tmp_path):
    python = executable(tmp_path / "a folder" / "python", f'exec "{sys.executable}" "$@"')
    _, said = make_setup(checkout, machine, PYTHON=str(python))
    assert "no Java found" in said


@pytest.fixture
def with_python(machine):
    executable(machine / "python3", f'exec "{sys.executable}" "$@"')
    return machine


def test_without_java(checkout, with_python):
    status, said = make_setup(checkout, with_python)
    assert status != 0
    assert said == (
        "Set-up stopped: no Java found in the PATH; install Java 17 or newer (for instance OpenJDK 17), "
        "or use the engine that needs none: ENGINE=sail."
    )


@pytest.mark.parametrize(("told", "version"), [("1.8.0_402", 8), ("11.0.22", 11)])
def test_with_an_old_java(checkout, with_python, told, version):
    executable(with_python / "java", f"""echo 'java version "{told}"' >&2""")
    status, said = make_setup(checkout, with_python)
    assert status != 0
    assert f"Java {version} found in the PATH, but Spark needs Java 17 or newer" in said


def test_java_home_counts_more_than_the_path(checkout, with_python, tmp_path):
    executable(with_python / "java", JAVA_17)
    _, said = make_setup(checkout, with_python, JAVA_HOME=str(tmp_path / "gone"))
    assert f"no Java found in JAVA_HOME ({tmp_path / 'gone'})" in said


def test_the_java_that_only_tells_how_to_install_java(checkout, with_python):
    """On macOS there is always a java command."""
    executable(with_python / "java", "echo 'Unable to locate a Java Runtime.' >&2; exit 1")
    _, said = make_setup(checkout, with_python)
    assert "no Java found" in said


@pytest.mark.parametrize("told", ["17.0.15", "21", "25-ea"])
def test_newer_java_is_fine(tmp_path, monkeypatch, told):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = executable(tmp_path / "bin" / "java", f"""echo 'openjdk version "{told}" 2025-04-15' >&2""")
    assert setup.java() == str(java)


def test_without_the_venv_module(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(setup.SetupError, match="cannot make virtual environments; install its venv package"):
        setup.check()


def test_a_moved_checkout_is_told(tmp_path, monkeypatch):
    stamp = tmp_path / ".ready"
    stamp.write_text("/somewhere else\n")
    monkeypatch.setattr(setup, "STAMP", stamp)
    with pytest.raises(setup.SetupError, match=r"was moved from /somewhere else .*remove \.venv"):
        setup.check()


# jars ----------------------------------------------------------------------------------------------------------------

JAR = "io.delta:delta-storage:4.4.0"
CONTENT = b"a jar"
JARS = {JAR: hashlib.sha256(CONTENT).hexdigest()}


def fetch(content: bytes | None):
    def fetched(folder: Path, jars: list[str]) -> None:
        assert jars == [JAR]
        if content is not None:
            (folder / "delta-storage-4.4.0.jar").write_bytes(content)

    return fetched


def never(*arguments):
    raise AssertionError("nothing is to be fetched")


def test_jars_are_fetched_once_and_old_versions_go(tmp_path):
    (tmp_path / "delta-storage-4.3.0.jar").write_bytes(b"old")
    (tmp_path / "spark-core.jar").write_bytes(b"not ours")
    setup.install_jars(tmp_path, JARS, fetch(CONTENT))
    setup.install_jars(tmp_path, JARS, never)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delta-storage-4.4.0.jar", "spark-core.jar"]


def test_a_damaged_jar_is_fetched_again(tmp_path):
    (tmp_path / "delta-storage-4.4.0.jar").write_bytes(b"half of i")
    setup.install_jars(tmp_path, JARS, fetch(CONTENT))
    assert (tmp_path / "delta-storage-4.4.0.jar").read_bytes() == CONTENT


def test_another_jar_than_the_listed_one_is_refused(tmp_path):
    with pytest.raises(setup.SetupError, match=f"{JAR} is not the expected file .its sha256 differs"):
        setup.install_jars(tmp_path, JARS, fetch(b"something else"))
    assert list(tmp_path.iterdir()) == []


def test_a_jar_that_is_not_found_is_told(tmp_path):
    with pytest.raises(setup.SetupError, match=f"{JAR} was not found"):
        setup.install_jars(tmp_path, JARS, fetch(None))


def test_the_jar_list_is_complete():
    jars = setup.read_jar_list()
    assert len(jars) == 7
    assert all(len(digest) == 64 for digest in jars.values())


def test_without_pyspark(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "VENV", tmp_path)
    with pytest.raises(setup.SetupError, match=r"PySpark is missing in \.venv"):
        setup.jars()


# dbt packages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "PACKAGES", tmp_path / "dbt_packages")
    return tmp_path / "dbt_packages"


def test_the_real_package_where_the_hub_answers(packages, capsys):
    setup.install_packages(lambda: None, lambda: True)
    assert not packages.exists()
    assert "from the dbt hub" in capsys.readouterr().out


def test_the_stand_in_where_the_hub_does_not_answer(packages, capsys):
    setup.install_packages(lambda: "no connection", never)
    assert (packages / "dbt_utils" / "dbt_project.yml").read_text().startswith("name: dbt_utils\n")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "cannot be reached (no connection): the project's own stand-in" in said


def test_the_stand_in_where_dbt_deps_fails_half_way(packages, capsys):
    def emptied() -> bool:
        (packages / "half").mkdir(parents=True)
        return False

    setup.install_packages(lambda: None, emptied)
    assert [path.name for path in packages.iterdir()] == ["dbt_utils"]


def test_the_lock_of_dbt_packages_fits_packages_yml():
    """Else dbt deps would make the lock anew, and bare dbt would warn."""
    import yaml
    from dbt.config.project import package_config_from_data
    from dbt.task.deps import _create_sha1_hash

    wanted = package_config_from_data(yaml.safe_load((ROOT / "packages.yml").read_text())).packages
    lock = yaml.safe_load((ROOT / "package-lock.yml").read_text())
    assert lock["sha1_hash"] == _create_sha1_hash(wanted)
    assert setup.locked_dbt_package() == ("dbt-labs/dbt_utils", "1.4.1")


# the lock ------------------------------------------------------------------------------------------------------------


def test_one_package_of_the_lock():
    wanted = "setuptools==2 \\\n    --hash=y \\\n    --hash=z\n    # via a\n"
    lock = f"a==1 \\\n    --hash=x\n{wanted}zz==3 \\\n    --hash=q\n"
    assert setup.locked("setuptools", lock) == wanted


def test_the_lock_names_hashes_but_no_address():
    lock = setup.LOCK.read_text()
    assert "://" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock
    assert setup.locked("setuptools", lock).count("--hash=sha256:") >= 2


def test_the_environment_holds_one_package_and_it_is_called_medallion(tmp_path: Path) -> None:
    ask = "import importlib.util as found; print([found.find_spec(name) is None for name in ('scripts', 'medallion')])"
    answer = subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[True, False]"
