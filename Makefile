# Everything a person types. `make demo` and `make test` need only Python >= 3.11, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.ONESHELL:
.PHONY: postgres consumers consumers-light test-consumers docs help setup setup-dev inboxes spark demo data-docs dev test test-quick test-long test-spark hunt lint format bench lock browser nginx node servers r screenshots clean

# The first that runs and is new enough: a name on the PATH may be a shim that does not run.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= data
PORT ?= 8001
CITY ?=
INBOX ?=
DOCS_PORT ?= 8003
PAGE ?=
CONSUMERS := .consumers

# Neither Dagster nor dbt reports to anybody what is done here.
export DAGSTER_DISABLE_TELEMETRY := yes
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## what can be typed
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Mingzhang needs Python 3.11 or newer; install it, or say where it is: make PYTHON=/path/to/python3.12"; exit 2; }
	"$(PYTHON)" -m venv $(VENV) || { echo "python3 cannot make a virtual environment here; type: apt-get install python3-venv"; rm -rf $(VENV); exit 2; }

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies (about a minute the first time) ..."
	$(BIN)/python -m pip install -q --require-hashes -r requirements.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies with the development tools (about a minute the first time) ..."
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@ $(VENV)/.runtime

setup: $(VENV)/.runtime ## make .venv with the locked dependencies

setup-dev: $(VENV)/.dev ## the same with the development tools

inboxes: requirements-inboxes.txt | $(BIN)/python ## drivers for inboxes at sftp://, smb://, s3:// and davs://
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-inboxes.txt

postgres: requirements-postgres.txt | $(BIN)/python ## Dagster's storage in PostgreSQL, for a home that several machines share
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-postgres.txt

spark: requirements-spark.txt | $(BIN)/python ## Spark and dbt's adapter for it, for statistics of more than one machine
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-spark.txt
	if ! command -v java >/dev/null; then
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless; } >/tmp/mingzhang-apt-java.log 2>&1
		else
			echo "Spark needs Java 17 or newer. Type: sudo apt-get install default-jre-headless"
			exit 2
		fi
	fi

demo: setup ## make a made-up city, run the pipeline, serve the site at http://127.0.0.1:8001; CITY=toronto INBOX=folder: that city
	@if [ -z "$(CITY)" ]; then
		$(BIN)/mingzhang sample --out $(HOME_DIR)/sample --seed 1 --orgs 80
		$(BIN)/mingzhang run --home $(HOME_DIR) --inbox $(HOME_DIR)/sample/inbox
		exec $(BIN)/mingzhang serve --home $(HOME_DIR) --port $(PORT)
	fi
	[ -f "cities/$(CITY)/city.yaml" ] || { echo "There is no city '$(CITY)'; there are: $$(ls cities | xargs)."; exit 2; }
	[ -n "$(INBOX)" ] || { echo "Say where its files are: make demo CITY=$(CITY) INBOX=/path/to/its/files"; exit 2; }
	$(BIN)/mingzhang run --city cities/$(CITY) --home $(HOME_DIR)/$(CITY) --inbox "$(INBOX)"
	exec $(BIN)/mingzhang serve --home $(HOME_DIR)/$(CITY) --port $(PORT)

data-docs: setup ## Great Expectations' pages about the suites of the last run
	@$(BIN)/python -m pipelines.records.data_docs --home $(HOME_DIR)

dev: setup data-docs ## Dagster's UI on the same home, and the models of dbt at http://127.0.0.1:8003
	@$(BIN)/python -m pipelines.statistics.dbt_docs --home $(HOME_DIR) >/dev/null
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(HOME_DIR)/work/dbt/docs $(DOCS_PORT) >/dev/null 2>&1 &
	trap "kill $$! 2>/dev/null || true" EXIT
	echo "The models of dbt and their lineage: http://127.0.0.1:$(DOCS_PORT)"
	$(BIN)/mingzhang dev --home $(HOME_DIR)

test: setup-dev browser nginx servers r node consumers-light ## every test
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not long and not consumers and not spark"

test-quick: setup-dev ## the tests that take seconds
	@$(BIN)/python -m pytest -q -m "not slow and not browser and not realdata and not long and not consumers and not spark"

test-long: setup-dev ## fifty sequences of files, fifty kills, full disks: about forty minutes on two cores
	@$(BIN)/python -m pytest -n 2 tests/long

# Other people's programs, each in an environment of its own. What cannot be installed is said, and the tests of it skip.
$(CONSUMERS)/%/.installed: tests/consumers/requirements/%.txt | $(BIN)/python
	@echo "Installing the programs of tests/consumers/requirements/$*.in ..."
	rm -rf $(CONSUMERS)/$*
	$(BIN)/python -m venv $(CONSUMERS)/$*
	$(CONSUMERS)/$*/bin/python -m pip install -q --no-deps --require-hashes -r $<
	touch $@

$(CONSUMERS)/node/.installed: tests/consumers/node/package.json tests/consumers/node/package-lock.json
	@echo "Installing the programs of tests/consumers/node/package.json ..."
	mkdir -p $(CONSUMERS)/node
	cp $^ $(CONSUMERS)/node
	cd $(CONSUMERS)/node
	npm ci --ignore-scripts --no-audit --no-fund --silent
	touch .installed

consumers-light: setup-dev
	@$(MAKE) -s $(CONSUMERS)/light/.installed || echo "!! The programs of tests/consumers/requirements/light.in could not be installed: their tests will be SKIPPED."

consumers: consumers-light node r ## the programs of docs/consumers.md: CKAN, udata, generators of clients, R, LibreOffice
	@for e in ckan udata contracts openapi node; do
		$(MAKE) -s $(CONSUMERS)/$$e/.installed || echo "!! The programs in $(CONSUMERS)/$$e could not be installed: their tests will be SKIPPED."
	done
	there() { command -v ssconvert && command -v soffice && Rscript -e 'for (p in c("readr", "data.table", "openxlsx", "readxl")) packageVersion(p)'; }
	if there >/dev/null 2>&1; then exit 0; fi
	packages="r-cran-readr r-cran-data.table r-cran-openxlsx r-cran-readxl gnumeric libreoffice-calc-nogui"
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing R's readers, Gnumeric and LibreOffice from Debian ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$packages; } >/tmp/mingzhang-apt-consumers.log 2>&1 \
			|| echo "!! They could not be installed (see /tmp/mingzhang-apt-consumers.log): their tests will be SKIPPED."
	else
		echo "!! Tests of R's readers, Gnumeric or LibreOffice will be SKIPPED. Type: sudo apt-get install $$packages"
	fi

test-consumers: setup-dev consumers ## give a release to each of them; PAGE=write writes docs/consumers.md anew
	@rm -rf $(CONSUMERS)/account
	MINGZHANG_CONSUMERS="$(PAGE)" $(BIN)/python -m pytest tests/consumers

test-spark: setup-dev spark ## the statistics of a made-up city on Spark, against DuckDB's
	@$(BIN)/python -m pytest tests/spark

hunt: setup-dev ## the property tests with examples that nobody has tried yet
	@$(BIN)/python -m pytest -q --hypothesis-profile=hunt $$(grep -rlE "^@given" tests)

lint: setup-dev ## ruff, mypy, sqlfluff, the order of imports and what must be generated
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.statistics.dbt_sources --check
	PYTHONWARNINGS=ignore $(BIN)/sqlfluff lint -q --processes 2 dbt_project/models dbt_project/tests

docs: setup-dev ## write docs/reference anew from the code
	@$(BIN)/python -m tests.docs.reference

format: setup-dev
	@$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-dev ## speeds, as ratios measured in one run
	@$(BIN)/python -m tests.bench

screenshots: setup-dev browser ## the pictures of the README, from the made-up city of `make demo`
	@[ -e $(HOME_DIR)/current ] || { $(BIN)/mingzhang sample --out $(HOME_DIR)/sample --seed 1 --orgs 80; $(BIN)/mingzhang run --home $(HOME_DIR) --inbox $(HOME_DIR)/sample/inbox; }
	$(BIN)/python -m tests.browser.screenshots --home $(HOME_DIR)

# Chromium and a Chinese font for the browser tests: installed when root, else the line to type is said and those tests skip.
browser:
	@if [ -x /usr/bin/chromium ] && fc-list :lang=zh 2>/dev/null | grep -q .; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing Debian's Chromium and a Chinese font for the browser tests ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk fontconfig; } >/tmp/mingzhang-apt.log 2>&1 \
			|| echo "!! Chromium could not be installed (see /tmp/mingzhang-apt.log): the browser tests will be SKIPPED."
	else
		echo "!! The browser tests will be SKIPPED: no /usr/bin/chromium or no Chinese font. Type: sudo apt-get install chromium fonts-noto-cjk"
	fi

# nginx for the tests of deploy/: installed when root, else the line to type is said and those tests skip.
nginx:
	@if [ -x /usr/sbin/nginx ]; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing Debian's nginx for the tests of its configuration ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx openssl; } >/tmp/mingzhang-apt-nginx.log 2>&1 \
			|| echo "!! nginx could not be installed (see /tmp/mingzhang-apt-nginx.log): the tests of its configuration will be SKIPPED."
	else
		echo "!! The tests of nginx will be SKIPPED: no /usr/sbin/nginx. Type: sudo apt-get install nginx openssl"
	fi

# R for the tests of its client and of the example in docs/api.md: installed when root, else the line to type is said and that test skips.
r:
	@if command -v Rscript >/dev/null && Rscript -e 'library(jsonlite); library(curl)' >/dev/null 2>&1; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing Debian's R for the tests of its client and example ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends r-base-core r-cran-jsonlite r-cran-curl; } >/tmp/mingzhang-apt-r.log 2>&1 \
			|| echo "!! R could not be installed (see /tmp/mingzhang-apt-r.log): the tests of its client and example will be SKIPPED."
	else
		echo "!! The tests of the client and the example in R will be SKIPPED: no Rscript, jsonlite or curl. Type: sudo apt-get install r-base-core r-cran-jsonlite r-cran-curl"
	fi

# Node for the client in JavaScript: installed when root, else the line to type is said and those tests skip.
node:
	@if command -v node >/dev/null && command -v npm >/dev/null; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		echo "Installing Debian's Node for the test of the client in JavaScript ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm; } >/tmp/mingzhang-apt-node.log 2>&1 \
			|| echo "!! Node could not be installed (see /tmp/mingzhang-apt-node.log): the tests of what runs on it will be SKIPPED."
	else
		echo "!! Tests of what runs on Node will be SKIPPED: no node or no npm. Type: sudo apt-get install nodejs npm"
	fi

# OpenSSH, Samba, Dovecot and PostgreSQL for the tests of remote inboxes and of several machines: installed when root in a container, where
# installing starts no service; elsewhere the line to type is said and those tests skip.
servers:
	@if [ -x /usr/sbin/sshd ] && [ -x /usr/sbin/smbd ] && [ -x /usr/sbin/dovecot ] && [ -n "$$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ]; then exit 0; fi
	if [ "$$(id -u)" = 0 ] && [ ! -d /run/systemd/system ] && command -v apt-get >/dev/null; then
		echo "Installing Debian's OpenSSH, Samba, Dovecot and PostgreSQL for tests ..."
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server samba dovecot-imapd postgresql; } >/tmp/mingzhang-apt-servers.log 2>&1 \
			|| echo "!! OpenSSH, Samba, Dovecot or PostgreSQL could not be installed (see /tmp/mingzhang-apt-servers.log): the tests of remote inboxes and of several machines will be SKIPPED."
	else
		echo "!! The tests of inboxes over SFTP, SMB and IMAP and of several machines will be SKIPPED: no sshd, smbd, dovecot or initdb. Type: sudo apt-get install openssh-server samba dovecot-imapd postgresql"
	fi

lock: ## renew the lock files (needs uv)
	@uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --extra inboxes -c requirements-dev.txt pyproject.toml -o requirements-inboxes.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --extra postgres -c requirements-dev.txt pyproject.toml -o requirements-postgres.txt
	for f in tests/consumers/requirements/*.in; do
		uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate $$f -o $${f%.in}.txt
	done
	cd tests/consumers/node && npm install --package-lock-only --ignore-scripts --no-audit --no-fund
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate --extra spark -c requirements-dev.txt pyproject.toml -o requirements-spark.txt

clean: ## throw away the demo's home and caches, not the environment
	@rm -rf $(HOME_DIR) dbt_project/target .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
