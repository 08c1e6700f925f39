"""How the server and a worker speak: a JSON header and a body, each with its length before it."""

from __future__ import annotations

import json
import struct
from typing import Any

HEAD = struct.Struct(">II")  # length of the JSON header, length of the body


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """One message, ready to send."""
    head = json.dumps(header).encode()
    return HEAD.pack(len(head), len(body)) + head + body
