# `make demo` and `make test` do all of their own set-up.
.PHONY: demo test test-all formal campaign mutants lint wheel notebooks docs clean
.NOTPARALLEL:

# pytest's workers use the cores; what tests start inside them stays on one.
PYTEST = .venv/bin/python -m pytest -n 2 --dist worksteal

demo:
	@tools/setup.sh demo
	@.venv/bin/spinplane demo

test:
	@tools/setup.sh test
	@$(PYTEST) -m "not thorough and not training"

# Everything; here a skipped test is a failure.
test-all: lint wheel
	@tools/fetch_mnist.sh
	@SPINPLANE_NO_SKIP=1 OMP_NUM_THREADS=1 SPINPLANE_MNIST=$(CURDIR)/build/mnist $(PYTEST) --durations 15

# Proofs of the hardware and of faults that break them; `make test-all` runs them too.
formal:
	@tools/setup.sh test
	@$(PYTEST) tests/formal

# Random cases in full numbers; its table is docs/campaigns.md. CAMPAIGN=name runs one of tests/campaigns, and takes
# --jobs N or --dask ADDRESS.
campaign:
	@tools/setup.sh all
	@OMP_NUM_THREADS=1 .venv/bin/python -m tools.campaign $(CAMPAIGN)

# Changes one thing at a time and asks which test fails; its table is docs/mutants.md. It goes on where it was stopped.
mutants:
	@tools/setup.sh all
	@test -e build/mutants/footprints.json || .venv/bin/python -m tools.mutants --footprints
	@.venv/bin/python -m tools.mutants

lint:
	@tools/setup.sh all
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/python tools/link_types.py
	@.venv/bin/mypy

wheel:
	@tools/setup.sh all
	@.venv/bin/python tools/check_wheel.py

# Tutorial and worked examples, executed.
notebooks:
	@tools/setup.sh test
	@OMP_NUM_THREADS=1 .venv/bin/python -m tools.notebooks

# The site: build/site/index.html opens without a server and without a network.
docs: notebooks
	@.venv/bin/python tools/link_types.py
	@.venv/bin/mkdocs build --strict

clean:
	@find build -mindepth 1 -not -name .gitkeep -delete
