# One command each; `make` alone lists them. ARGS goes to the command behind it: make demo ARGS="--seed 7".
# Paths are relative throughout, so that a checkout folder with a space in its name works.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench soak orchestration orchestrators clusters docs lock clean preflight

ARGS ?=
# dbt-core 1.11 runs on Python 3.10 to 3.13. The first candidate that can be used is taken; PYTHON=... names one.
USABLE := import sys, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for python in .venv/bin/python python3 python3.13 python3.12 python3.11 python3.10; do \
	"$$python" -c '$(USABLE)' 2>/dev/null && echo "$$python" && break; done)
ifeq ($(PYTHON),)
PYTHON := python3
endif
endif

# sail: no Java, seconds instead of minutes; or spark (docs/engines.md). The tests: both, if there is Java.
ENGINES := spark sail $(if $(filter test,$(MAKECMDGOALS)),both)
ifeq ($(origin ENGINE),undefined)
ENGINE := sail
ifneq ($(filter test,$(MAKECMDGOALS)),)
HAS_JAVA := $(shell "$(PYTHON)" scripts/setup.py java >/dev/null 2>&1 && echo yes)
ENGINE := $(if $(HAS_JAVA),both,sail)
ifeq ($(HAS_JAVA),)
LEFT_OUT := echo "No Java 17 or newer found, so the tests that need Spark are left out."
endif
endif
else
TARGET := --target $(if $(filter sail,$(ENGINE)),sail,local)
endif
$(if $(filter-out $(ENGINES),$(ENGINE)),$(error ENGINE is one of $(ENGINES), not $(ENGINE)))
JARS := $(if $(filter spark both,$(ENGINE)),.venv/.jars)
GOAL := $(or $(firstword $(MAKECMDGOALS)),help)

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-13s %s\n' "$$name" "$$text"; done

setup: .venv/.ready $(JARS) dbt_packages/dbt_utils/dbt_project.yml ## virtual environment, pinned packages, Delta jars, dbt packages

demo: setup ## write demo files, build everything from them, show the result
	@.venv/bin/medallion demo $(or $(TARGET),--target sail) $(ARGS)

# Both side by side, as each waits for its engine half of the time; what Spark's tests print comes when they are through.
test: setup ## the test suite but the long soak tests: on Sail, and on Spark where there is Java (ENGINE= names one)
	@$(or $(LEFT_OUT),:)
ifeq ($(ENGINE),both)
	@mkdir -p target; MEDALLION_ENGINE=spark MEDALLION_NO_ENGINE=no .venv/bin/python -m pytest $(ARGS) >target/tests-on-spark.txt 2>&1 & spark=$$!; \
	trap 'kill $$spark' INT TERM; MEDALLION_ENGINE=sail .venv/bin/python -m pytest $(ARGS); sail=$$?; \
	wait $$spark; spark=$$?; cat target/tests-on-spark.txt; exit $$((sail ? sail : spark))
else
	@MEDALLION_ENGINE=$(ENGINE) .venv/bin/python -m pytest $(ARGS)
endif

lint: setup ## all checks of the code, as before a commit
	@.venv/bin/pre-commit run --all-files $(ARGS)

bench: setup ## measure against plain Spark SQL
	@.venv/bin/python -m benchmarks $(ARGS)

soak: setup ## the long tests
	@MEDALLION_ENGINE=$(ENGINE) .venv/bin/python -m pytest -m soak -s $(ARGS)

orchestration: setup .venv-airflow/.ready .venv-dagster/.ready ## Airflow and Dagster, each in an environment of its own

orchestrators: orchestration ## the tests that run them
	@MEDALLION_ENGINE=sail .venv/bin/python -m pytest -m orchestrator $(ARGS)

# Sail builds the lakes that those of the servers are compared with; the servers need Java and Spark's jars.
clusters: setup .venv/.jars ## the tests that run Spark's servers: Thrift, and a master with two workers
	@MEDALLION_ENGINE=sail .venv/bin/python -m pytest -m cluster $(ARGS)

docs: setup ## make the docs site and open it
	@.venv/bin/medallion docs --serve $(TARGET) $(ARGS)

lock: requirements.in ## pin the newest fitting packages (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.10 --fork-strategy fewest --no-strip-extras \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		--output-file requirements.txt requirements.in

clean: ## remove what can be made again; the tables in .lake stay
	rm -rf .venv .venv-airflow .venv-dagster dbt_packages target logs medallion.egg-info .pytest_cache .ruff_cache

preflight:
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		found=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); \
		echo "Set-up stopped: Python 3.10 to 3.13 is needed ($${found:+only Python }$${found:-none} found); install one," \
			"for instance python3.12, or name it: make $(GOAL) PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" scripts/setup.py check
	@$(if $(JARS),"$(PYTHON)" scripts/setup.py java)

.venv/.ready: requirements.txt pyproject.toml scripts/setup.py | preflight
	@"$(PYTHON)" scripts/setup.py environment

.venv-%/.ready: orchestration/%/requirements.txt | preflight
	rm -rf .venv-$*
	"$(PYTHON)" -m venv .venv-$*
	.venv-$*/bin/pip install --quiet --requirement orchestration/$*/requirements.txt
	@touch $@

.venv/.jars: .venv/.ready scripts/delta-jars.sha256
	@"$(PYTHON)" scripts/setup.py jars

dbt_packages/dbt_utils/dbt_project.yml: package-lock.yml | .venv/.ready
	@.venv/bin/python scripts/setup.py packages
	@touch $@
