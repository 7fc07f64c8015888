# Two commands matter: `make run` and `make test`. Each does everything it needs; a second time, nothing.

PYTHON ?= python3
BIN := .venv/bin
COMPILE := uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock"
LOCKS := requirements-uv requirements requirements-extras requirements-dev requirements-peer

# Environment variables of the site; what is already set stays.
export PORT ?= 8000
export HERMES_SIGNUP ?= open
export HERMES_SHARING ?= everybody

# For npm's programs, which look for Node on the path.
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

# Dozens of processes start: none shall compile the libraries anew, as they do where this is set.
test test-thorough test-again chaos bench bench-cache bench-load bench-peer soak: export PYTHONDONTWRITEBYTECODE =

# Each remembers by itself which of its tests failed.
ON_SQLITE := $(BIN)/pytest -o cache_dir=.pytest_cache/sqlite
ON_POSTGRESQL := TEST_ON=postgresql $(BIN)/pytest -o cache_dir=.pytest_cache/postgresql

# Families of models whose packages are installed on demand: HERMES_EXTRAS=google,bedrock make run.
EXTRAS := bedrock cohere google groq huggingface mistral xai
comma := ,
FAMILIES := $(subst $(comma), ,$(HERMES_EXTRAS))
ifneq ($(filter-out $(EXTRAS),$(FAMILIES)),)
$(error HERMES_EXTRAS takes $(EXTRAS), separated by commas; not $(filter-out $(EXTRAS),$(FAMILIES)))
endif

.DELETE_ON_ERROR:
.PHONY: run test test-thorough test-again chaos lint types audit lock bench bench-cache bench-load bench-peer soak programs

run: .venv/runtime $(FAMILIES:%=.venv/extra-%) staticfiles/stamp
	@exec $(BIN)/python manage.py serve --setup

# On SQLite its modules, and four folders whole, are shared out to three processes (each waits for others two fifths of its time, and there may be
# but two cores), and beside them runs on PostgreSQL what asks it something of its own: its report comes last.
define run_suite
rm -f .pytest_cache/ended; report=$$(mktemp) && trap 'rm "$$report"' EXIT; \
$(ON_POSTGRESQL) -m "both_databases and $(1)" >"$$report" 2>&1 & postgresql=$$!; \
$(ON_SQLITE) -m "$(1)" --numprocesses 3 --dist loadfile --no-loadscope-reorder; first=$$?; \
wait $$postgresql; second=$$?; cat "$$report"; \
echo "$$page $$first $$second" >.pytest_cache/ended; exit $$((page | first | second))
endef

# The suite. First, in a second, what is behind the page: a dot a test, and all of those that failed.
test: .venv/dev node_modules/stamp programs
	@$(NODE) node --test --test-timeout=20000 --test-reporter=dot tests/page/*.test.js; page=$$?; \
	$(call run_suite,not thorough)

# The same questions, asked of everything where the suite asks some examples: for each change before it is merged.
test-thorough: .venv/dev node_modules/stamp programs
	@page=0; $(call run_suite,thorough)

# What failed in the last run of one of them, once more and alone: fails where one of them fails again, or where more than
# tests failed (2 and above are a crash). What it names as passed depends on the machine's speed or on chance: mend it.
test-again: .venv/dev
	@read page first second <.pytest_cache/ended; [ "$$page" = 0 ] && [ "$$first" -le 1 ] && [ "$$second" -le 1 ] \
	&& echo "These failed. Once more, each alone:" \
	&& { [ "$$first" = 0 ] || $(ON_SQLITE) --verbose --last-failed; } \
	&& { [ "$$second" = 0 ] || $(ON_POSTGRESQL) --verbose --last-failed; }

# The test of chaos for longer. SECONDS= of it, SEED= repeats a run.
chaos: .venv/dev programs
	CHAOS_SECONDS=$(or $(SECONDS),300) CHAOS_SEED=$(SEED) $(BIN)/pytest -s tests/chaos/test_chaos.py

lint: .venv/dev node_modules/stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(NODE) node_modules/.bin/biome check --error-on-warnings
	$(NODE) node_modules/.bin/tsc -p .
	$(NODE) node_modules/.bin/tsc -p tests/page
	$(NODE) node_modules/.bin/tsc -p clients/js
	$(NODE) node_modules/.bin/tsc -p tests/clients/javascript
	$(BIN)/python manage.py makemigrations --check --dry-run
	@# The locks are what `make lock` would write.
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && cp requirements* "$$folder" && cd "$$folder" \
	&& for name in $(LOCKS); do $(CURDIR)/$(BIN)/$(COMPILE) $$name.in -o $$name.txt \
	&& diff $(CURDIR)/$$name.txt $$name.txt || { echo "$$name.txt is not what $$name.in says: run make lock"; exit 1; }; done

# What the scripts of the page and the clients know of the API: types/api.d.ts, and the like in clients/.
types: .venv/dev
	$(BIN)/python -m tests.api_types
	$(BIN)/python -m tests.api_python_types

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

# Beside Chainlit, in one run.
bench-peer: .venv/dev .venv/peer
	$(BIN)/python -m bench peer

# Whether an adversary makes others wait, and whether anything grows: three runs of MINUTES= each.
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

# The release of Pydantic AI is that of requirements.txt; the other lock has the hashes of what a family needs.
.venv/extra-%: requirements-extras.txt .venv/runtime
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --constraint $< \
	"$$(sed -n 's/^\(pydantic-ai-slim\)\(==[^ ]*\).*/\1[$*]\2/p' requirements.txt)"
	@touch $@

.venv/dev: requirements-dev.txt .venv/installer
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $<
	@touch .venv/runtime $@

# An environment of its own: what Chainlit brings is no business of the host's.
.venv/peer: requirements-peer.txt .venv/installer
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $@
	$(BIN)/uv pip install --quiet --python $@/bin/python --require-hashes -r $<
	@touch $@

# Every file checked by its hash, as above; nothing of a package runs while it is installed.
node_modules/stamp: package.json package-lock.json .npmrc .venv/dev
	$(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

staticfiles/stamp: .venv/runtime sessions_app/web/storage.py $(shell find sessions_app/static -type f)
	$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@
