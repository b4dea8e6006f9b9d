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

compiled:
    uv run python scripts/make_compiled.py

schemas:
    uv run python scripts/make_schemas.py

models:
    uv run python scripts/make_models.py

browser:
    uv run --group browser pytest -m browser

demo-evidence:
    uv run python scripts/make_demo.py

bench:
    uv run python benchmarks/walk.py

ci:
    .ci/run
