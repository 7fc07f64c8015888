# Two commands matter: `make run` and `make test`. Each does everything it needs; a second time, nothing.

PYTHON ?= python3
BIN := .venv/bin
COMPILE := uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock"
LOCKS := requirements-uv requirements requirements-dev

# Environment variables of the site; what is already set stays.
export PORT ?= 8000
export HERMES_SIGNUP ?= open

# Dozens of processes start: none shall compile the libraries anew, as they do where this is set.
test chaos bench bench-cache bench-load soak: export PYTHONDONTWRITEBYTECODE =

.DELETE_ON_ERROR:
.PHONY: run test chaos lint audit lock bench bench-cache bench-load soak programs

run: .venv/runtime staticfiles/stamp
	@exec $(BIN)/python manage.py serve --setup

# All on SQLite, its modules shared out to two processes, and beside it what touches the database on PostgreSQL as well:
# its report comes last. (On two cores a third process made it slower: 627 seconds instead of 565.)
test: .venv/dev programs
	@report=$$(mktemp) && trap 'rm "$$report"' EXIT; \
	TEST_ON=postgresql $(BIN)/pytest -m both_databases >"$$report" 2>&1 & postgresql=$$!; \
	$(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder; first=$$?; \
	wait $$postgresql; second=$$?; cat "$$report"; exit $$((first | second))

# The suite's test of chaos for longer. SECONDS= of it, SEED= repeats a run.
chaos: .venv/dev programs
	CHAOS_SECONDS=$(or $(SECONDS),300) CHAOS_SEED=$(SEED) $(BIN)/pytest -s tests/chaos/test_chaos.py

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@# The locks are what `make lock` would write.
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && cp requirements* "$$folder" && cd "$$folder" \
	&& for name in $(LOCKS); do $(CURDIR)/$(BIN)/$(COMPILE) $$name.in -o $$name.txt \
	&& diff $(CURDIR)/$$name.txt $$name.txt || { echo "$$name.txt is not what $$name.in says: run make lock"; exit 1; }; done

# As an operator would set it; what `check --deploy` says is an error.
DEPLOYED := DEBUG=off SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
ALLOWED_HOSTS=chat.example.org CSRF_TRUSTED_ORIGINS=https://chat.example.org TRUSTED_PROXY=127.0.0.1

# What is known against the packages that are locked, our own code and the settings. What it covers: docs/operations.md.
audit: .venv/dev
	$(BIN)/python -m tests.advisories
	@# Its log tells of each part of a marked text that has no finding.
	$(BIN)/bandit --quiet --recursive agentcache hermes_site sessions_app 2>/dev/null
	@$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

lock: .venv/installer
	for name in $(LOCKS); do $(BIN)/$(COMPILE) $$name.in -o $$name.txt || exit 1; done

bench: .venv/dev
	$(BIN)/python -m bench

bench-cache: .venv/dev
	$(BIN)/python -m bench cache

bench-load: .venv/dev programs
	$(BIN)/python -m bench load

# Whether an adversary makes others wait, and whether anything grows: two runs of MINUTES= each.
soak: .venv/dev programs
	$(BIN)/python -m bench soak --minutes $(or $(MINUTES),15)

# Chromium, PostgreSQL, Redis: installed where apt and root allow; else the tests that need one say so.
programs: .venv/dev
	@missing=$$($(BIN)/python -m tests.services); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; fi

# pip brings the installer, the installer brings the rest: in seconds, every file checked by its hash.
.venv/installer: requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "Python 3.11 or later is needed; PYTHON=python3.12 make run names another."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/runtime: requirements.txt .venv/installer
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $<
	@touch $@

.venv/dev: requirements-dev.txt .venv/installer
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $<
	@touch .venv/runtime $@

staticfiles/stamp: .venv/runtime $(shell find sessions_app/static -type f)
	$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@
