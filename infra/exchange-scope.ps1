<#
.SYNOPSIS
Lets the app's managed identity work in chosen mailboxes only, through Exchange RBAC for Applications, or undoes that.

.DESCRIPTION
Needs the module ExchangeOnlineManagement and a session opened with Connect-ExchangeOnline by a member of Organization
Management. Running it twice changes nothing. The grant is additive: it narrows nothing while the identity also holds
Mail.ReadWrite or Calendars.ReadWrite in Entra. learn.microsoft.com/exchange/permissions-exo/application-rbac

.EXAMPLE
./infra/exchange-scope.ps1 -AppId <client id> -ObjectId <principal id> -Filter "CustomAttribute1 -eq 'UploadSession'" -Mailbox shared@contoso.com

.EXAMPLE
./infra/exchange-scope.ps1 -AppId <client id> -ObjectId <principal id> -Undo
#>
#Requires -Version 7.0
[CmdletBinding(DefaultParameterSetName = 'Grant')]
param(
  # Client id of the managed identity.
  [Parameter(Mandatory)] [guid] $AppId,

  # Principal id of the managed identity: the object id of its enterprise application.
  [Parameter(Mandatory)] [guid] $ObjectId,

  # Which mailboxes, as an OPATH filter. A group: "MemberOfGroup -eq '<distinguished name>'"; nested groups do not count.
  [Parameter(Mandatory, ParameterSetName = 'Grant')] [string] $Filter,

  # A mailbox to test the grant with.
  [Parameter(Mandatory, ParameterSetName = 'Grant')] [string] $Mailbox,

  # Removes the assignments, the scope and the service principal.
  [Parameter(Mandatory, ParameterSetName = 'Undo')] [switch] $Undo,

  [string] $Name = 'Graph Upload Session Proxy',

  [string[]] $Roles = @('Application Mail.ReadWrite', 'Application Calendars.ReadWrite')
)

$ErrorActionPreference = 'Stop'

function Find-Assignment([string] $Role) {
  Get-ManagementRoleAssignment -Identity "$Name $Role" -ErrorAction SilentlyContinue
}

function Find-Scope {
  Get-ManagementScope -Identity $Name -ErrorAction SilentlyContinue
}

function Find-ServicePrincipal {
  Get-ServicePrincipal -ErrorAction SilentlyContinue | Where-Object { $_.ObjectId -eq "$ObjectId" }
}

if (-not (Get-Command New-ManagementScope -ErrorAction SilentlyContinue)) {
  throw 'There is no Exchange Online session with the right role. Run Connect-ExchangeOnline as a member of Organization Management first.'
}

if ($Undo) {
  foreach ($role in $Roles) {
    if (Find-Assignment $role) {
      Write-Host "1. Removing the assignment of $role"
      Remove-ManagementRoleAssignment -Identity "$Name $role" -Confirm:$false
    } else {
      Write-Host "1. $role is not assigned"
    }
  }
  if (Find-Scope) {
    Write-Host "2. Removing the scope '$Name'"
    Remove-ManagementScope -Identity $Name -Confirm:$false
  } else {
    Write-Host "2. There is no scope '$Name'"
  }
  if (Find-ServicePrincipal) {
    Write-Host "3. Removing Exchange's pointer to the service principal"
    Remove-ServicePrincipal -Identity "$ObjectId" -Confirm:$false
  } else {
    Write-Host "3. Exchange has no pointer to the service principal"
  }
  return
}

if (Find-ServicePrincipal) {
  Write-Host '1. Exchange knows the service principal already'
} else {
  Write-Host '1. Telling Exchange about the service principal'
  New-ServicePrincipal -AppId "$AppId" -ObjectId "$ObjectId" -DisplayName $Name | Out-Null
}

if (Find-Scope) {
  Write-Host "2. Setting the scope '$Name' to: $Filter"
  Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $Filter
} else {
  Write-Host "2. Creating the scope '$Name': $Filter"
  New-ManagementScope -Name $Name -RecipientRestrictionFilter $Filter | Out-Null
}

foreach ($role in $Roles) {
  if (Find-Assignment $role) {
    Write-Host "3. $role is assigned already"
  } else {
    Write-Host "3. Assigning $role in that scope"
    New-ManagementRoleAssignment -Name "$Name $role" -App "$ObjectId" -Role $role -CustomResourceScope $Name | Out-Null
  }
}

Write-Host "4. Testing with $Mailbox (InScope must be True; this test does not go through Exchange's cache)"
Test-ServicePrincipalAuthorization -Identity "$ObjectId" -Resource $Mailbox | Format-Table RoleName, AllowedResourceScope, InScope

Write-Host 'Done. The grant itself takes effect within two hours. Take back the tenant-wide one: infra/grant-graph-roles.sh --undo'
