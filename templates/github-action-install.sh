#!/usr/bin/env bash
# Install postureaudit for action.yml into an environment of its own: a version from PyPI, or the action's own commit.
set -euo pipefail

case "${POSTURE_VERSION:-}" in
  "") wanted="$GITHUB_ACTION_PATH" ;;
  *[!0-9a-z.]* | [!0-9]*)
    printf '::error title=postureaudit::the input version must be a version, as 1.2.3\n'
    exit 2
    ;;
  *) wanted="postureaudit==$POSTURE_VERSION" ;;
esac
"${POSTURE_PYTHON:-python3}" -m venv "$RUNNER_TEMP/postureaudit"
"$RUNNER_TEMP/postureaudit/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted"
"$RUNNER_TEMP/postureaudit/bin/postureaudit" --version
