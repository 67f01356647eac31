# Attaches a file to a draft: ./attach.ps1 FILE (settings: README.md)
#Requires -Version 7.3
param([Parameter(Mandatory)] [string] $Path)
$ErrorActionPreference = 'Stop'

$file = Get-Item -LiteralPath $Path
$mailbox, $message, $name = $env:MAILBOX, $env:MESSAGE_ID, $file.Name | ForEach-Object { [uri]::EscapeDataString($_) }
$headers = @{ Expect = '100-continue' } # A refusal comes before the bytes are sent.
if ($env:PROXY_KEY) { $headers['x-functions-key'] = $env:PROXY_KEY }
if ($env:PROXY_TOKEN) { $headers['Authorization'] = "Bearer $env:PROXY_TOKEN" }

# The file streams from the disk, without Content-Length.
$attachment = Invoke-RestMethod -Method Post -Headers $headers -InFile $file.FullName -TransferEncoding chunked `
    -ContentType 'application/octet-stream' `
    -Uri "$($env:PROXY_URL.TrimEnd('/'))/api/v1.0/users/$mailbox/messages/$message/attachments?name=$name&size=$($file.Length)"
$attachment.id
