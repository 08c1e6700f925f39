"""Messages between a parent and its child, each with its length before it.

Belongs here: two kinds of message: any Python object, pickled, for a pipe to a child that this process started; and a JSON header with a
body of bytes, for a child that answers requests of the public and whose answers are never unpickled. Not here: what they mean.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import struct
from collections.abc import Callable
from io import RawIOBase
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
_LENGTHS = struct.Struct(">II")  # of the JSON header, of the body


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one object. Raises BrokenPipeError where the other side has ended."""
    body = pickle.dumps(message, 5)
    pipe.write(_LENGTH.pack(len(body)))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes] | RawIOBase) -> Any:
    """Read one object; None where the other side has closed. Only ever between a parent and its own child."""
    try:
        return pickle.loads(_exactly(pipe.read, _LENGTH.unpack(_exactly(pipe.read, _LENGTH.size))[0]))  # noqa: S301 - our own child's
    except EOFError:
        return None


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Return one message of a header and a body, ready to send."""
    head = json.dumps(header).encode()
    return _LENGTHS.pack(len(head), len(body)) + head + body


def unpack_from(read: Callable[[int], bytes | None]) -> tuple[dict[str, Any], bytes]:
    """Read one header and body with `read`, which may return fewer bytes than asked for. Raises EOFError at the end."""
    head, body = _LENGTHS.unpack(_exactly(read, _LENGTHS.size))
    return json.loads(_exactly(read, head)), _exactly(read, body)


async def unpack_from_stream(stream: asyncio.StreamReader) -> tuple[dict[str, Any], bytes]:
    """Read one header and body from a stream. Raises asyncio.IncompleteReadError at the end."""
    head, body = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    return json.loads(await stream.readexactly(head)), await stream.readexactly(body)


def _exactly(read: Callable[[int], bytes | None], size: int) -> bytes:
    """`size` bytes. Raises EOFError where the stream ends before."""
    parts = []
    while size:
        part = read(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
