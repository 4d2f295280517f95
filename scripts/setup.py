"""Set up the project: check the machine, fill .venv, fetch the Delta jars and the dbt packages.

`make` calls it with any Python 3.10 to 3.13 (standard library only): `check`, `environment`, `packages`, and for Spark
`java` and `jars`.
Every failure a person can meet is one sentence that says what to do.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / ".ready"
JAR_STAMP = VENV / ".jars"
LOG = VENV / "setup.log"
LOCK = ROOT / "requirements.txt"
JAR_LIST = ROOT / "scripts" / "delta-jars.sha256"
STAND_IN = ROOT / "packages" / "dbt_utils"
PACKAGES = ROOT / "dbt_packages"
JAVA_NEEDED = 17


class SetupError(Exception):
    """A problem told in one sentence."""


def main(arguments: Sequence[str]) -> int:
    steps = {"check": check, "java": java, "environment": environment, "jars": jars, "packages": packages}
    if len(arguments) != 1 or arguments[0] not in steps:
        print(f"usage: setup.py {{{','.join(steps)}}}", file=sys.stderr)
        return 2
    try:
        steps[arguments[0]]()
    except SetupError as problem:
        print(f"Set-up stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the same command goes on where it stopped.", file=sys.stderr)
        return 130
    return 0


# check ---------------------------------------------------------------------------------------------------------------


def check() -> None:
    """What must be there before anything is installed."""
    if not VENV.exists() and importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"this Python {version} cannot make virtual environments; install its venv package "
            f"(on Debian and Ubuntu: python{version}-venv)."
        )
    if STAMP.exists() and (home := STAMP.read_text().strip()) != str(ROOT):
        raise SetupError(f"this folder was moved from {home} and its .venv with it; remove .venv and try again.")


def java() -> str:
    """The java that Spark will start: the one in JAVA_HOME, else the one on the PATH.

    Raises:
        SetupError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home, "bin", "java")) if home else "java"
    where = f"JAVA_HOME ({home})" if home else "the PATH"
    try:
        answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        answer = None
    # Java tells its version on the error stream: openjdk version "17.0.15" 2025-04-15
    found = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr + answer.stdout) if answer else None
    if not found or answer.returncode:
        raise SetupError(
            f"no Java found in {where}; install Java {JAVA_NEEDED} or newer (for instance OpenJDK {JAVA_NEEDED}), "
            "or use the engine that needs none: ENGINE=sail."
        )
    # Up to Java 8 the version was written 1.8
    version = int(found[2] if found[1] == "1" and found[2] else found[1])
    if version < JAVA_NEEDED:
        raise SetupError(
            f"Java {version} found in {where}, but Spark needs Java {JAVA_NEEDED} or newer; "
            "install it or let JAVA_HOME point to it."
        )
    return command


# environment ---------------------------------------------------------------------------------------------------------


def environment() -> None:
    """The virtual environment with all that the lock names, and this project."""
    started = time.monotonic()
    with step("1/2", f"virtual environment in .venv (Python {sys.version_info.major}.{sys.version_info.minor})"):
        create_venv()
    STAMP.unlink(missing_ok=True)
    LOG.write_text("")
    count = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
    with step("2/2", f"{count} pinned Python packages (some minutes the first time: PySpark alone is 450 MB)"):
        install_python_packages()
    install_plugin()
    # Written last: an interrupted set-up is taken up again.
    STAMP.write_text(f"{ROOT}\n")
    print(f"Environment ready after {time.monotonic() - started:.0f} s.")


def install_plugin() -> None:
    """Lets bare dbt find this project's plug-in (scripts/dbt_plugin.py): it loads modules whose names begin so."""
    (site_packages() / "dbt_medallion.py").write_text("from medallion.dbt_plugin import plugins as plugins\n")


def create_venv() -> None:
    if run([venv_python(), "-m", "pip", "--version"]):
        return
    if not run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        raise SetupError("the virtual environment .venv could not be made; is the disk full or the folder read-only?")


def install_python_packages() -> None:
    pip = [venv_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    with tempfile.TemporaryDirectory() as folder:
        backend = Path(folder, "requirements.txt")
        backend.write_text(locked("setuptools", LOCK.read_text()))
        # PySpark comes as source. Its build would fetch an unpinned setuptools if it were left to itself.
        build = ["--use-pep517", "--no-build-isolation"]
        done = (
            run([*pip, "--require-hashes", "-r", str(backend)])
            and run([*pip, *build, "--require-hashes", "-r", str(LOCK)])
            and run([*pip, "--no-build-isolation", "--no-deps", "--editable", str(ROOT)])
        )
    if not done:
        raise SetupError(
            f"pip could not install the Python packages ({last_error()}); "
            f"check the network or pip's own settings; all it said is in {LOG.relative_to(ROOT)}."
        )


def locked(name: str, lock: str) -> str:
    """The lines of one package in the lock."""
    found = re.search(rf"^{re.escape(name)}==.*\n(?:[ \t].*\n?)*", lock, re.MULTILINE)
    if not found:
        raise SetupError(f"requirements.txt does not pin {name}; make it anew with `make lock`.")
    return found[0]


# jars ----------------------------------------------------------------------------------------------------------------


def jars() -> None:
    """The Delta jars, for Spark."""
    with step("Spark", "Delta jars"):
        install_jars(venv_jars(), read_jar_list(), fetch_jars)
    JAR_STAMP.touch()


JarList = dict[str, str]  # group:artifact:version -> sha256


def read_jar_list() -> JarList:
    return {jar: digest for digest, jar in (line.split() for line in JAR_LIST.read_text().splitlines() if line.strip())}


def install_jars(folder: Path, jars: JarList, fetch: Callable[[Path, list[str]], None]) -> None:
    """Put the jars into PySpark's own folder, where every way of starting Spark finds them.

    Args:
        folder: PySpark's folder of jars.
        jars: what belongs there.
        fetch: brings the named jars into a folder.

    Raises:
        SetupError: a jar did not come, or is another file than expected.
    """
    for old in [*folder.glob("delta-*.jar"), *folder.glob("unitycatalog-*.jar")]:
        if old.name not in map(file_name, jars):
            old.unlink()
    missing = [jar for jar in jars if not matches(folder / file_name(jar), jars[jar])]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as fetched:
        fetch(Path(fetched), missing)
        for jar in missing:
            path = Path(fetched, file_name(jar))
            if not path.exists():
                raise SetupError(f"the Delta jar {jar} was not found by the resolver; see {LOG.relative_to(ROOT)}.")
            if not matches(path, jars[jar]):
                raise SetupError(
                    f"the Delta jar {jar} is not the expected file (its sha256 differs from the one in "
                    f"scripts/{JAR_LIST.name}), so it was not installed; try again, or ask who runs your mirror."
                )
            # Copied under another name first: an interrupted copy is not taken for the jar.
            part = folder / f"{path.name}.part"
            shutil.copyfile(path, part)
            part.replace(folder / path.name)


def fetch_jars(folder: Path, jars: list[str]) -> None:
    """Let Ivy, which PySpark brings along, fetch the jars from where Spark itself would."""
    lines = [
        '<dependency org="{}" name="{}" rev="{}" transitive="false" conf="default->master"/>'.format(*jar.split(":"))
        for jar in jars
    ]
    Path(folder, "ivy.xml").write_text(
        '<ivy-module version="2.0"><info organisation="medallion" module="jars"/>'
        f"<dependencies>{''.join(lines)}</dependencies></ivy-module>"
    )
    ivy = next(venv_jars().glob("ivy-*.jar"))
    command = [java(), "-jar", str(ivy), "-m2compatible", "-warn", "-cache", "cache", "-ivy", "ivy.xml"]
    if not run([*command, "-types", "jar", "-retrieve", "[artifact]-[revision].[ext]"], cwd=folder):
        raise SetupError(
            "the Delta jars could not be fetched; check the network (behind a proxy: JAVA_TOOL_OPTIONS="
            f"-Djava.net.useSystemProxies=true), or copy the files that scripts/{JAR_LIST.name} names into "
            f"{venv_jars().relative_to(ROOT)} yourself."
        )


def file_name(jar: str) -> str:
    _, artifact, version = jar.split(":")
    return f"{artifact}-{version}.jar"


def matches(path: Path, digest: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


# dbt packages --------------------------------------------------------------------------------------------------------


def packages() -> None:
    """The dbt packages: from the hub, else our stand-in. Runs in .venv, as it asks dbt where the hub is."""
    install_packages(hub_problem, dbt_deps)


def install_packages(hub_problem: Callable[[], str | None], dbt_deps: Callable[[], bool]) -> None:
    problem = hub_problem()
    if problem is None:
        if dbt_deps():
            print("dbt_utils installed from the dbt hub.")
            return
        problem = "dbt deps failed"
    # dbt deps empties the folder before it loads anything
    shutil.rmtree(PACKAGES, ignore_errors=True)
    shutil.copytree(STAND_IN, PACKAGES / STAND_IN.name)
    print(
        f"The dbt hub cannot be reached ({problem}): the project's own stand-in for dbt_utils was installed "
        "instead, with the same results; `dbt deps` exchanges it later."
    )


def hub_problem() -> str | None:
    """Why the package cannot be had, told within seconds: dbt itself tries for minutes."""
    import requests
    from dbt.clients.registry import DEFAULT_REGISTRY_BASE_URL

    name, version = locked_dbt_package()
    try:
        index = requests.get(f"{DEFAULT_REGISTRY_BASE_URL}api/v1/{name}.json", timeout=5)
        index.raise_for_status()
        # The hub only knows the address; the files lie elsewhere, and may be blocked there.
        address = index.json()["versions"][version]["downloads"]["tarball"]
        requests.get(address, timeout=5, stream=True).raise_for_status()
    except requests.Timeout:
        return "no answer within 5 seconds"
    except requests.HTTPError as error:
        return f"it answers {error.response.status_code}"
    except requests.RequestException:
        return "no connection"
    except (KeyError, TypeError):
        return f"it does not know {name} {version}"
    return None


def locked_dbt_package() -> tuple[str, str]:
    import yaml

    lock = yaml.safe_load((ROOT / "package-lock.yml").read_text())
    return lock["packages"][0]["package"], lock["packages"][0]["version"]


def dbt_deps() -> bool:
    return run([str(VENV / "bin" / "dbt"), "deps"], timeout=120)


# helpers -------------------------------------------------------------------------------------------------------------


def venv_python() -> str:
    return str(VENV / "bin" / "python")


def site_packages() -> Path:
    return next(VENV.glob("lib/python3.*/site-packages"))


def venv_jars() -> Path:
    """The folder of Spark's jars in .venv.

    Raises:
        SetupError: PySpark is not there.
    """
    found = next(VENV.glob("lib/python3.*/site-packages/pyspark/jars"), None)
    if found is None:
        raise SetupError("PySpark is missing in .venv; remove .venv and run make setup again.")
    return found


@contextmanager
def step(number: str, what: str):
    started = time.monotonic()
    print(f"[{number}] {what} ...", end="", flush=True)
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def run(command: list[str], *, cwd: Path = ROOT, timeout: float | None = None) -> bool:
    """Run quietly; what it says goes to the log."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            timeout=timeout,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, worked = done.stdout, done.returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        said, worked = str(error), False
    if VENV.exists():
        with LOG.open("a") as log:
            log.write(said)
    return worked


def last_error() -> str:
    """The last line that pip calls an error."""
    errors = [line for line in LOG.read_text().splitlines() if line.upper().startswith("ERROR")]
    return errors[-1].removeprefix("ERROR: ").strip().rstrip(".") if errors else "no reason given"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
