#!/usr/bin/env bash
# Attaches a file to a draft: ./attach.sh FILE (settings: README.md)
set -euo pipefail

# Secrets go to curl through --config, because command lines can be read by every process of the machine.
credential() {
  if [[ -n ${PROXY_KEY-} ]]; then printf 'header = "x-functions-key: %s"\n' "$PROXY_KEY"; fi
  if [[ -n ${PROXY_TOKEN-} ]]; then printf 'header = "Authorization: Bearer %s"\n' "$PROXY_TOKEN"; fi
}

path=$(jq -rn --arg mailbox "$MAILBOX" --arg id "$MESSAGE_ID" --arg name "$(basename "$1")" --arg size "$(wc -c < "$1")" \
  '"users/\($mailbox | @uri)/messages/\($id | @uri)/attachments?name=\($name | @uri)&size=\($size | tonumber)"')

# The file streams from standard input: curl 7.88 never ends a chunked upload of an empty file that it opens itself.
# With Expect, a refusal arrives before the bytes are sent.
answer=$(curl --silent --show-error --fail-with-body --config <(credential) --request POST --upload-file - \
  --header 'Transfer-Encoding: chunked' --header 'Expect: 100-continue' "${PROXY_URL%/}/api/v1.0/$path" < "$1") ||
  { echo "The proxy answered: $answer" >&2; exit 1; }
jq -r .id <<< "$answer"
