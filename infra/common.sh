# Sourced by register-api.sh and grant-caller-role.sh.

what_if=false

fail() {
  echo "$1" >&2
  exit 1
}

# Runs az. If it fails, prints one line: who may do this if rights are missing, else the error of az. Prints nothing for exit
# code 3, which is az's "not found": the script knows what is missing. $1: the Entra role that the call needs.
call() {
  local role=$1 errors status=0
  shift
  errors=$(mktemp)
  az "$@" 2>"$errors" || status=$?
  if [[ $status -ne 0 && $status -ne 3 ]]; then
    if grep -qiE 'Authorization_RequestDenied|Insufficient privileges' "$errors"; then
      echo "You are not allowed to do this. You need the role $role: az $1 $2 $3" >&2
    elif grep -qi 'az login' "$errors"; then
      echo 'You are not signed in. Run: az login' >&2
    else
      head -n 1 "$errors" >&2
    fi
  fi
  rm -f "$errors"
  return "$status"
}

# Prints the change and runs the command, or with --what-if prints the change only.
change() {
  local text=$1
  shift
  if [[ "$what_if" == true ]]; then
    echo "would: $text"
  else
    echo "$text"
    "$@"
  fi
}

# The URL of Microsoft Graph, which differs between national clouds.
graph_url() {
  local url
  url=$(call Reader cloud show --query endpoints.microsoftGraphResourceId --output tsv) || return
  echo "${url%/}/v1.0"
}

# Waits until a new object can be read: Entra replicates it within seconds. $1: its URL in Graph.
wait_for() {
  for _ in {1..20}; do
    if az rest --method get --url "$1" --output none 2>/dev/null; then return; fi
    sleep 3
  done
  fail "Entra has not replicated the new object after one minute. Run this script again."
}
