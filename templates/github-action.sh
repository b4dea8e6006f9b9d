#!/usr/bin/env bash
# The shell part of action.yml. All that a caller gives comes in as POSTURE_* variables and is only ever an argument:
# nothing of it is evaluated. Exits 0, 1, 2, 3 or 4 as postureaudit does, after reports and outputs are written.
set -euo pipefail

fail() {
  printf '::error title=postureaudit::%s\n' "$1"
  exit 2
}

one_line() {
  case "$2" in *$'\n'* | *$'\r'*) fail "the input $1 must be one line" ;; esac
}

for name in COMMAND EVIDENCE FAIL_ON REGIONS SERVICES ROLE_ARN EXTERNAL_ID EXPECT_ACCOUNT OUTPUT_DIR CONFIG WAIVERS BASELINE ANCHOR; do
  variable="POSTURE_$name"
  one_line "$(tr '[:upper:]_' '[:lower:]-' <<<"$name")" "${!variable:-}"
done

folder="${POSTURE_OUTPUT_DIR:-postureaudit-report}"
case "$folder" in -* | *=*) fail "the input output-dir may neither begin with - nor hold =" ;; esac
mkdir -p -- "$folder"
arguments=()
case "${POSTURE_COMMAND:-audit}" in
  audit) arguments+=(audit) ;;
  report)
    [ -n "${POSTURE_EVIDENCE:-}" ] || fail "the command report needs the input evidence"
    arguments+=(report)
    ;;
  *) fail "the input command is audit or report" ;;
esac

# --name=value: a value that begins with - stays a value.
option() { if [ -n "$2" ]; then arguments+=("$1=$2"); fi; }
option --fail-on "${POSTURE_FAIL_ON:-}"
option --config "${POSTURE_CONFIG:-}"
option --waivers "${POSTURE_WAIVERS:-}"
option --baseline "${POSTURE_BASELINE:-}"
option --anchor "${POSTURE_ANCHOR:-}"
words=()
read -r -a words <<<"${POSTURE_SERVICES:-}" || true
for word in "${words[@]}"; do option --service "$word"; done
if [ "${arguments[0]}" = audit ]; then
  option --role-arn "${POSTURE_ROLE_ARN:-}"
  option --external-id "${POSTURE_EXTERNAL_ID:-}"
  option --expect-account "${POSTURE_EXPECT_ACCOUNT:-}"
  words=()
  read -r -a words <<<"${POSTURE_REGIONS:-}" || true
  for word in "${words[@]}"; do option --region "$word"; done
fi
arguments+=(-o "json=$folder/result.json" -o "sarif=$folder/result.sarif" -o "markdown=$folder/report.md" -o github=-) # github writes the job summary too
if [ "${arguments[0]}" = report ]; then arguments+=(-- "$POSTURE_EVIDENCE"); fi

# A report of an earlier run in the same folder must not pass for this one's.
rm -f -- "$folder/result.json" "$folder/result.sarif" "$folder/report.md"
code=0
"${POSTURE_PROGRAM:-postureaudit}" "${arguments[@]}" || code=$?

written() { if [ -f "$1" ]; then printf '%s' "$1"; fi; }
{
  printf 'exit-code=%s\n' "$code"
  printf 'result=%s\n' "$(written "$folder/result.json")"
  printf 'sarif=%s\n' "$(written "$folder/result.sarif")"
  printf 'report=%s\n' "$(written "$folder/report.md")"
} >>"${GITHUB_OUTPUT:-/dev/null}"

case "$code" in
  0) ;;
  3) printf '::error title=postureaudit::gaps at or above the gate (exit 3)\n' ;;
  4)
    if [ "${POSTURE_ALLOW_BLIND:-false}" = true ]; then
      printf '::warning title=postureaudit::no gap, but something could not be read (exit 4)\n'
      exit 0
    fi
    printf '::error title=postureaudit::no gap, but something could not be read (exit 4)\n'
    ;;
  *) printf '::error title=postureaudit::the audit did not run (exit %s)\n' "$code" ;;
esac
exit "$code"
