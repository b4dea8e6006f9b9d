# What CI runs, one piece at a time. `just` lists them.

default:
    @just --list

test *args:
    uv run pytest {{args}}

lint:
    uv run ruff check .
    uv run ruff format --check .
    uv run mypy
    uv run lint-imports

format:
    uv run ruff format .
    uv run ruff check --fix .

checks:
    uv run postureaudit checks lint checks.yaml

docs:
    uv run python scripts/make_docs.py

docs-site:
    uv run --group docs python scripts/build_site.py

compiled:
    uv run python scripts/make_compiled.py

schemas:
    uv run python scripts/make_schemas.py

models:
    uv run python scripts/make_models.py

browser:
    uv run --group browser pytest -m browser

fuzz seconds="180" *targets:
    uv run --python 3.11 --group fuzz python -m fuzz {{targets}} --seconds {{seconds}}

demo-evidence:
    uv run python scripts/make_demo.py

bench:
    uv run python benchmarks/walk.py

packages:
    uv run --no-project python scripts/check_packages.py

names:
    uv run python scripts/make_names.py

# requirements-dev.txt anew: every development package, by hash, without addresses.
lock:
    uv lock --upgrade
    (echo "# Every package of a development set-up, pinned by hash. Written by: just lock"; uv export --quiet --all-groups --no-emit-project --no-header) > requirements-dev.txt

ci:
    .ci/run
