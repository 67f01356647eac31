"""Attaches a file to a draft, with the standard library alone: python3 attach.py FILE (settings: README.md)"""

import json
import mimetypes
import os
import sys
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

path = Path(sys.argv[1])
size = path.stat().st_size
if size > 157_286_400:
    sys.exit(f"{path} has {size} bytes; Outlook takes at most 157,286,400.")
mailbox, message = (quote(os.environ[key], safe="") for key in ("MAILBOX", "MESSAGE_ID"))
query = urlencode({"name": path.name, "size": size})
target = f"/api/v1.0/users/{mailbox}/messages/{message}/attachments?{query}"
headers = {"Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream"}
if key := os.environ.get("PROXY_KEY"):
    headers["x-functions-key"] = key
if token := os.environ.get("PROXY_TOKEN"):
    headers["Authorization"] = f"Bearer {token}"

proxy = urlsplit(os.environ["PROXY_URL"])
connect = HTTPSConnection if proxy.scheme == "https" else HTTPConnection
connection = connect(proxy.netloc, timeout=240)
connection.connect()
with path.open("rb") as file:
    try:
        # An open file streams from the disk, without Content-Length.
        connection.request("POST", target, file, headers)
    except OSError:
        pass  # A refusal can arrive, and the connection close, while the file is being sent: the response says why.
response = connection.getresponse()
text = response.read().decode()
if response.status != 201:
    sys.exit(f"The proxy answered {response.status}: {text}")
print(json.loads(text)["id"])
