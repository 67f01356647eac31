#!/usr/bin/env bash
# Assigns the API's app role to an application or a managed identity, or takes it back. Running it twice changes nothing.
# learn.microsoft.com/graph/api/serviceprincipal-post-approleassignments
set -euo pipefail
# shellcheck source=infra/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: infra/grant-caller-role.sh [--what-if] [--undo] [--role ROLE] --api API_CLIENT_ID CALLER

  CALLER      Client id or object id of an application or managed identity, or the resource id of an Azure resource that has a
              system-assigned managed identity (such as a workflow).
  --api       Client id of the API's registration (register-api.sh prints it).
  --role      Value of the app role (default: UploadSession.Create).
  --undo      Take the role back.
  --what-if   Print the change, make none.

The signed-in user of the Azure CLI needs the Entra role Cloud Application Administrator.
TEXT
}

api=''
caller=''
role='UploadSession.Create'
undo=false
while [[ $# -gt 0 ]]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --what-if) what_if=true; shift ;;
    --undo) undo=true; shift ;;
    --api | --role)
      if [[ $# -lt 2 ]]; then echo "$1 needs a value." >&2; exit 2; fi
      if [[ "$1" == --api ]]; then api=$2; else role=$2; fi
      shift 2 ;;
    -*) echo "Unknown argument: $1" >&2; usage >&2; exit 2 ;;
    *)
      if [[ -n "$caller" ]]; then echo "Only one caller at a time: $1" >&2; exit 2; fi
      caller=$1; shift ;;
  esac
done
if [[ -z "$api" || -z "$caller" ]]; then
  usage >&2
  exit 2
fi

needed='Cloud Application Administrator'
graph=$(graph_url)

# After a failed call: says what az did not find. All other errors are printed already.
stop() {
  if [[ $1 -eq 3 ]]; then echo "$2" >&2; fi
  exit 1
}

api_id=$(call "$needed" ad sp show --id "$api" --query id --output tsv) ||
  stop $? "The API $api has no service principal in this tenant. Run infra/register-api.sh first."
role_id=$(call "$needed" ad sp show --id "$api_id" --output tsv \
  --query "appRoles[?value=='$role' && contains(allowedMemberTypes, 'Application')].id | [0]")
if [[ -z "$role_id" || "$role_id" == None ]]; then
  fail "The API has no app role $role for applications. Run infra/register-api.sh first."
fi

if [[ "$caller" == /* ]]; then
  resource=$caller
  caller=$(call 'Reader on the resource' resource show --ids "$resource" --query identity.principalId --output tsv)
  if [[ -z "$caller" || "$caller" == None ]]; then
    fail "The resource has no system-assigned managed identity: $resource"
  fi
fi
ids=$(call "$needed" ad sp show --id "$caller" --query '[id, appId]' --output tsv) ||
  stop $? "There is no application or managed identity $caller in this tenant."
read -r -d '' principal_id client_id <<<"$ids" || true

assignments="$graph/servicePrincipals/$principal_id/appRoleAssignments"
assignment_id=$(call "$needed" rest --method get --url "$assignments" --output tsv \
  --query "value[?resourceId=='$api_id' && appRoleId=='$role_id'].id | [0]")
if [[ "$assignment_id" == None ]]; then assignment_id=''; fi

if [[ "$undo" == true && -z "$assignment_id" ]]; then
  echo "$role: not granted to $client_id, nothing to take back"
elif [[ "$undo" == true ]]; then
  change "take $role back from $client_id" \
    call "$needed" rest --method delete --url "$assignments/$assignment_id" --output none
elif [[ -n "$assignment_id" ]]; then
  echo "$role: granted to $client_id already"
else
  change "grant $role to $client_id" \
    call "$needed" rest --method post --url "$assignments" --output none --headers 'Content-Type=application/json' \
    --body "{\"principalId\":\"$principal_id\",\"resourceId\":\"$api_id\",\"appRoleId\":\"$role_id\"}"
fi
if [[ "$undo" == false ]]; then
  echo "appId for the policy: $client_id"
fi
