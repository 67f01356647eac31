#!/usr/bin/env bash
# Registers the proxy as an API in Entra: application ID URI, app role, delegated scope, service principal with "assignment
# required". Changes only what is missing, so running it twice changes nothing.
set -euo pipefail
# shellcheck source=infra/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
Usage: infra/register-api.sh [--what-if] [--name NAME | --app-id CLIENT_ID] [--role ROLE]

  --what-if   Print the changes, make none.
  --name      Display name of the registration (default: Graph Upload Session Proxy). A registration of this name is reused.
  --app-id    Client id of the registration to use, if several have the same name.
  --role      Value of the app role and of the delegated scope (default: UploadSession.Create, the default of API_ROLE).

The signed-in user of the Azure CLI needs the Entra role Application Developer, or must own the registration.
Prints the settings of the app on the last lines.
TEXT
}

name='Graph Upload Session Proxy'
app_id=''
role='UploadSession.Create'
while [[ $# -gt 0 ]]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --what-if) what_if=true; shift ;;
    --name | --app-id | --role)
      if [[ $# -lt 2 ]]; then echo "$1 needs a value." >&2; exit 2; fi
      case "$1" in --name) name=$2 ;; --app-id) app_id=$2 ;; --role) role=$2 ;; esac
      shift 2 ;;
    *) echo "Unknown argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done

needed='Application Developer'
# Ids of roles and scopes are unique within one application only.
role_id='6f0b1e7a-52d4-4f3e-9a3c-6b1d2c5e8f01'
scope_id='6f0b1e7a-52d4-4f3e-9a3c-6b1d2c5e8f02'

graph=$(graph_url)
if [[ -z "$app_id" ]]; then
  found=$(call "$needed" ad app list --filter "displayName eq '${name//\'/\'\'}'" --query '[].appId' --output tsv)
  if [[ "$found" == *$'\n'* ]]; then
    fail "Several registrations are named '$name'. Choose one with --app-id: ${found//$'\n'/ }"
  fi
  app_id=$found
fi

if [[ -z "$app_id" ]]; then
  if [[ "$what_if" == true ]]; then
    echo "would: create the registration '$name' with the role and the scope $role, and its service principal"
    exit 0
  fi
  echo "create the registration '$name'"
  app_id=$(call "$needed" ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
  wait_for "$graph/applications(appId='$app_id')"
else
  echo "use the registration $app_id"
fi

application="$graph/applications(appId='$app_id')"
get() {
  call "$needed" rest --method get --url "$application" --query "$1" --output "$2"
}
patch() {
  call "$needed" rest --method patch --url "$1" --headers 'Content-Type=application/json' --body "$2" --output none
}
# $1: a JSON array, $2: the element to add.
with() {
  local list=${1%]}
  if [[ "${list//[[:space:]]/}" == '[' ]]; then echo "[$2]"; else echo "$list,$2]"; fi
}

counts=$(get "[length(identifierUris), length(appRoles[?value=='$role']), length(api.oauth2PermissionScopes[?value=='$role']), length(optionalClaims.accessToken[?name=='xms_cc'] || \`[]\`)]" tsv)
read -r -d '' uris roles scopes claims <<<"$counts" || true

if [[ "$uris" == 0 ]]; then
  change "set the application ID URI api://$app_id" \
    call "$needed" ad app update --id "$app_id" --identifier-uris "api://$app_id"
fi
if [[ "$roles" == 0 ]]; then
  existing=$(get appRoles json)
  description='Lets the application attach files to the mailboxes and groups that the policy allows.'
  change "add the app role $role" patch "$application" \
    "{\"appRoles\":$(with "$existing" "{\"id\":\"$role_id\",\"value\":\"$role\",\"allowedMemberTypes\":[\"Application\"],\"displayName\":\"Attach files\",\"description\":\"$description\",\"isEnabled\":true}")}"
fi
if [[ "$scopes" == 0 ]]; then
  existing=$(get api.oauth2PermissionScopes json)
  scope="{\"id\":\"$scope_id\",\"value\":\"$role\",\"type\":\"User\",\"isEnabled\":true"
  scope+=',"adminConsentDisplayName":"Attach files for the user"'
  scope+=',"adminConsentDescription":"Lets the application attach files to items that the signed-in user may change."'
  scope+=',"userConsentDisplayName":"Attach files for you"'
  scope+=',"userConsentDescription":"Lets the application attach files to items that you may change."}'
  change "add the delegated scope $role, with v2 tokens" patch "$application" \
    "{\"api\":{\"requestedAccessTokenVersion\":2,\"oauth2PermissionScopes\":$(with "$existing" "$scope")}}"
fi
if [[ "$claims" == 0 ]]; then
  existing=$(get 'optionalClaims.accessToken || `[]`' json)
  # With xms_cc clients declare that they handle claims challenges.
  change 'add the optional claim xms_cc' patch "$application" \
    "{\"optionalClaims\":{\"accessToken\":$(with "$existing" '{"name":"xms_cc"}')}}"
fi

principal_id=$(call "$needed" ad sp list --filter "appId eq '$app_id'" --query '[].id' --output tsv)
if [[ -z "$principal_id" && "$what_if" == true ]]; then
  echo 'would: create the service principal, with assignment required'
  exit 0
fi
if [[ -z "$principal_id" ]]; then
  echo 'create the service principal'
  principal_id=$(call "$needed" ad sp create --id "$app_id" --query id --output tsv)
  wait_for "$graph/servicePrincipals/$principal_id"
fi
required=$(call "$needed" rest --method get --url "$graph/servicePrincipals/$principal_id" \
  --query appRoleAssignmentRequired --output tsv)
if [[ "${required,,}" != true ]]; then
  # Without it Entra issues tokens for this API, though without the role, to every application of the tenant.
  change 'require an assignment' patch "$graph/servicePrincipals/$principal_id" '{"appRoleAssignmentRequired":true}'
fi

tenant_id=$(call "$needed" account show --query tenantId --output tsv)
cat <<TEXT

CALLER_AUTH=entra
ENTRA_TENANT_ID=$tenant_id
API_AUDIENCE=$app_id,api://$app_id
TEXT
if [[ "$role" != UploadSession.Create ]]; then echo "API_ROLE=$role"; fi
