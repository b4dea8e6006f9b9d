#!/usr/bin/env bash
# Write the CycloneDX SBOM of what a user installs (no development packages), from the resolved set with its hashes.
set -euo pipefail
target="$(realpath -m "${1:?usage: make_sbom.sh FILE}")"
cd "$(dirname "$0")/.."
uv export --quiet --no-default-groups --no-emit-project --no-header --format requirements-txt |
  uvx --quiet --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements - --output-reproducible --of JSON -o "$target"
