# Attaches a file to a draft: ./upload.ps1 FILE (settings: ../README.md)
#Requires -Version 7.3
param([Parameter(Mandatory)] [string] $Path)
$ErrorActionPreference = 'Stop'

$rangeSize = 3932160 # Below Graph's 4 MiB for one request.
$file = Get-Item -LiteralPath $Path
$mailbox, $message = $env:MAILBOX, $env:MESSAGE_ID | ForEach-Object { [uri]::EscapeDataString($_) }

$credential = @{}
if ($env:PROXY_KEY) { $credential['x-functions-key'] = $env:PROXY_KEY }
if ($env:PROXY_TOKEN) { $credential['Authorization'] = "Bearer $env:PROXY_TOKEN" }
$body = @{ AttachmentItem = @{ attachmentType = 'file'; name = $file.Name; size = $file.Length } } | ConvertTo-Json
$session = Invoke-RestMethod -Method Post -Headers $credential -ContentType 'application/json' -Body $body `
    -Uri "$($env:PROXY_URL.TrimEnd('/'))/api/v1.0/users/$mailbox/messages/$message/attachments/createUploadSession"

$stream = $file.OpenRead()
try {
    for ($start = 0L; $start -lt $file.Length; $start += $rangeSize) {
        $range = [byte[]]::new([Math]::Min($rangeSize, $file.Length - $start))
        $stream.ReadExactly($range, 0, $range.Length)
        # No Authorization header: the uploadUrl carries its own token, and a second one is answered 401.
        $answer = Invoke-WebRequest -Method Put -Uri $session.uploadUrl -Body $range `
            -ContentType 'application/octet-stream' `
            -Headers @{ 'Content-Range' = "bytes $start-$($start + $range.Length - 1)/$($file.Length)" }
    }
}
finally {
    $stream.Dispose()
}

# The last answer has no body; the id is the last key of its Location: …/Attachments('AAMk…').
[regex]::Match([uri]::UnescapeDataString("$($answer.Headers.Location)"), "\('([^']+)'\)$").Groups[1].Value
