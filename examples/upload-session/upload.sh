#!/usr/bin/env bash
# Attaches a file to a draft: ./upload.sh FILE (settings: ../README.md)
set -euo pipefail

file=$1
size=$(wc -c < "$file" | tr -d ' ')
block=65536
range_size=$((60 * block)) # Below Graph's 4 MiB for one request.
message=$(jq -rn --arg mailbox "$MAILBOX" --arg id "$MESSAGE_ID" '"users/\($mailbox | @uri)/messages/\($id | @uri)"')

# Secrets go to curl through --config, because command lines can be read by every process of the machine.
credential() {
  if [[ -n ${PROXY_KEY-} ]]; then printf 'header = "x-functions-key: %s"\n' "$PROXY_KEY"; fi
  if [[ -n ${PROXY_TOKEN-} ]]; then printf 'header = "Authorization: Bearer %s"\n' "$PROXY_TOKEN"; fi
}

session=$(jq -n --arg name "$(basename "$file")" --argjson size "$size" \
  '{AttachmentItem: {attachmentType: "file", name: $name, size: $size}}' |
  curl --silent --show-error --fail-with-body --config <(credential) --json @- \
    "${PROXY_URL%/}/api/v1.0/$message/attachments/createUploadSession") ||
  { echo "The proxy answered: $session" >&2; exit 1; }
upload_url=$(jq -r .uploadUrl <<< "$session")

location=
for ((start = 0; start < size; start += range_size)); do
  end=$((start + range_size < size ? start + range_size - 1 : size - 1))
  # The uploadUrl carries its own token: with an Authorization header Outlook answers 401.
  location=$(dd if="$file" bs=$block skip=$((start / block)) count=60 2> /dev/null |
    curl --silent --show-error --fail --config <(printf 'url = "%s"\n' "$upload_url") --request PUT \
      --header "Content-Range: bytes $start-$end/$size" --header 'Content-Type: application/octet-stream' \
      --data-binary @- --output /dev/null --write-out '%header{location}') ||
    { echo "The range from byte $start was not taken." >&2; exit 1; }
done

# The last answer has no body; the id is the last key of its Location: …/Attachments('AAMk…').
id=${location##*\(\'}
id=${id%\'\)*}
printf '%b\n' "${id//%/\\x}"
