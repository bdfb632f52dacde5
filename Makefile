# make setup   .venv with everything (quick where nothing has changed)
# make demo    set up, then review the synthetic demo case; the report is in demo/review/report.html
# make test    set up, then lint, types and all tests
# make bench   set up, then time and memory of the main job
# make lists   renew the file lists of the extension's CMakeLists.txt
# make clean   remove what these made
.POSIX:
.PHONY: setup demo test bench lists clean

BIN = .venv/bin

setup:
	@sh tools/setup.sh

demo: setup
	$(BIN)/reirradiation-review demo --out demo

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/known-good.txt --editable ".[bench]"
	@for script in Testing/benchmarks/bench_*.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

lists: setup
	$(BIN)/python tools/update_cmake_lists.py

clean:
	rm -rf .venv demo build .pytest_cache .mypy_cache .ruff_cache
	find ReirradiationReview Testing tools \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
