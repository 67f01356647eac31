"""Attaches a file to a draft, with the standard library alone: python3 upload.py FILE (settings: ../README.md)"""

import json
import os
import re
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, unquote
from urllib.request import Request, urlopen

RANGE_SIZE = 3_932_160  # Below Graph's 4 MiB for one request.
TIMEOUT_SECONDS = 60


def open_session(name: str, size: int) -> str:
    """The uploadUrl, which is a secret: whoever has it may upload."""
    mailbox, message = (quote(os.environ[key], safe="") for key in ("MAILBOX", "MESSAGE_ID"))
    url = f"{os.environ['PROXY_URL'].rstrip('/')}/api/v1.0/users/{mailbox}/messages/{message}"
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("PROXY_KEY"):
        headers["x-functions-key"] = key
    if token := os.environ.get("PROXY_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    item = {"AttachmentItem": {"attachmentType": "file", "name": name, "size": size}}
    request = Request(f"{url}/attachments/createUploadSession", json.dumps(item).encode(), headers, method="POST")
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)["uploadUrl"]
    except HTTPError as error:
        sys.exit(f"The proxy answered {error.code}: {error.read().decode()}")


def upload(path: Path, size: int, upload_url: str) -> str:
    """Sends the ranges in order, as Outlook demands; the Location of the last answer."""
    location = ""
    with path.open("rb") as file:
        for start in range(0, size, RANGE_SIZE):
            data = file.read(RANGE_SIZE)
            # No Authorization header: the uploadUrl carries its own token, and a second one is answered 401.
            headers = {
                "Content-Range": f"bytes {start}-{start + len(data) - 1}/{size}",
                "Content-Type": "application/octet-stream",
            }
            with urlopen(Request(upload_url, data, headers, method="PUT"), timeout=TIMEOUT_SECONDS) as answer:
                location = answer.headers.get("Location", "")
    return location


def main() -> None:
    path = Path(sys.argv[1])
    size = path.stat().st_size
    location = upload(path, size, open_session(path.name, size))
    # The last answer has no body; the id is the last key of its Location: …/Attachments('AAMk…').
    print(re.findall(r"\('([^']+)'\)$", unquote(location))[-1])


main()
