"""Attaches a file to a draft, with the standard library alone: python3 attach.py FILE (settings: README.md)"""

import json
import mimetypes
import os
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

path = Path(sys.argv[1])
mailbox, message = (quote(os.environ[key], safe="") for key in ("MAILBOX", "MESSAGE_ID"))
query = urlencode({"name": path.name, "size": path.stat().st_size})
url = f"{os.environ['PROXY_URL'].rstrip('/')}/api/v1.0/users/{mailbox}/messages/{message}/attachments?{query}"
headers = {"Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream"}
if key := os.environ.get("PROXY_KEY"):
    headers["x-functions-key"] = key
if token := os.environ.get("PROXY_TOKEN"):
    headers["Authorization"] = f"Bearer {token}"

try:
    # An open file streams from the disk, without Content-Length.
    with path.open("rb") as file, urlopen(Request(url, file, headers, method="POST"), timeout=240) as answer:
        print(json.load(answer)["id"])
except HTTPError as error:
    sys.exit(f"The proxy answered {error.code}: {error.read().decode()}")
