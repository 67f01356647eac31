#!/usr/bin/env bash
# Grants Microsoft Graph app roles to the app's managed identity, or takes them back. Running it twice changes nothing.
# The signed-in user of the Azure CLI needs the Entra role Privileged Role Administrator.
# learn.microsoft.com/graph/api/serviceprincipal-post-approleassignments
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: infra/grant-graph-roles.sh [--undo] <principal id of the managed identity> [app role ...]

Without app roles: Mail.ReadWrite (messages) and Calendars.ReadWrite (events).
TEXT
}

undo=false
if [[ "${1:-}" == '--undo' ]]; then
  undo=true
  shift
fi
if [[ $# -lt 1 || "$1" == -* ]]; then
  usage >&2
  exit 2
fi
principal_id=$1
shift
roles=("$@")
if [[ ${#roles[@]} -eq 0 ]]; then
  roles=(Mail.ReadWrite Calendars.ReadWrite)
fi

# The address differs between national clouds. The application id of Microsoft Graph is the same in all of them.
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph="${graph%/}/v1.0"
graph_app_id='00000003-0000-0000-c000-000000000000'
assignments="$graph/servicePrincipals/$principal_id/appRoleAssignments"

echo "Looking up Microsoft Graph in this tenant"
graph_id=$(az rest --method get --url "$graph/servicePrincipals(appId='$graph_app_id')" --query id --output tsv)

for role in "${roles[@]}"; do
  role_id=$(az rest --method get --url "$graph/servicePrincipals/$graph_id" --output tsv \
    --query "appRoles[?value=='$role' && contains(allowedMemberTypes, 'Application')].id | [0]")
  if [[ -z "$role_id" ]]; then
    echo "Microsoft Graph has no application permission $role" >&2
    exit 1
  fi
  assignment_id=$(az rest --method get --url "$assignments" --output tsv \
    --query "value[?resourceId=='$graph_id' && appRoleId=='$role_id'].id | [0]")

  if [[ "$undo" == true ]]; then
    if [[ -z "$assignment_id" ]]; then
      echo "$role: not granted, nothing to take back"
    else
      echo "$role: taking back"
      az rest --method delete --url "$assignments/$assignment_id" --output none
    fi
  elif [[ -n "$assignment_id" ]]; then
    echo "$role: granted already"
  else
    echo "$role: granting, for every mailbox of the tenant"
    az rest --method post --url "$assignments" --output none --headers 'Content-Type=application/json' \
      --body "{\"principalId\":\"$principal_id\",\"resourceId\":\"$graph_id\",\"appRoleId\":\"$role_id\"}"
  fi
done

echo "Done. A token that the platform holds already keeps its old roles for up to a day."
