"""A mailbox whose mails are submissions: one file for each mail, in which its attachments lie.

Belongs here: listing the mails over IMAP, and who sent them. Not here: taking attachments out of a mail (unpack.py).

A sender is who the mail says it is: take in mails through a server that checks that (SPF, DKIM, DMARC).
"""

from __future__ import annotations

import email
import email.policy
import imaplib
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any, cast

AT_ONCE = 500  # mails whose heads are asked for in one command
LONGEST = 80  # characters of a subject in a name
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_HEADS = "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT CONTENT-TYPE)])"


class ImapMailbox:
    """The mails of one mailbox that may have attachments, read and never changed. `senders` says who sends for which unit.

    Raises OSError or imaplib's errors where the server does not answer or lets nobody in.
    """

    def __init__(
        self,
        address: urllib.parse.SplitResult,
        user: str,
        password: str | None,
        senders: Mapping[str, str],
        seconds: float,
    ):
        host = address.hostname or "localhost"
        if address.scheme == "imaps":
            self._imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, address.port or 993, timeout=seconds)
        else:
            self._imap = imaplib.IMAP4(host, address.port or 143, timeout=seconds)
        if password is None:
            raise OSError("no password is given")
        self._imap.login(user, password)
        self._host = address.netloc.rpartition("@")[2].lower()
        self._senders = {k.lower(): v for k, v in senders.items()}
        self._known: dict[str, dict[str, Any]] = {}

    def ls(self, path: str) -> list[dict[str, Any]]:
        """The mails of the mailbox `path`, as fsspec describes files, with `title` (unit, day and subject), `url`, and `refused`: why a
        mail is not taken."""
        mailbox = path.strip("/") or "INBOX"
        said, _ = self._imap.select(_quoted(mailbox), readonly=True)
        if said != "OK":
            raise FileNotFoundError(mailbox)
        valid = self._imap.response("UIDVALIDITY")[1][0].decode()
        numbers = self._do("SEARCH", "UNDELETED")[0].split()
        for start in range(0, len(numbers), AT_ONCE):
            wanted = b",".join(numbers[start : start + AT_ONCE]).decode()
            for head in self._do("FETCH", wanted, _HEADS):
                if isinstance(head, tuple):
                    info = self._info(head, mailbox, valid)
                    if info is not None:
                        self._known[info["name"]] = info
        return list(self._known.values())

    def info(self, path: str) -> dict[str, Any]:
        """A mail as it was listed: it never changes."""
        return self._known[path]

    def cat_file(self, path: str) -> bytes:
        """The whole mail."""
        for part in self._do("FETCH", path, "(BODY.PEEK[])"):
            if isinstance(part, tuple):
                return bytes(part[1])
        raise FileNotFoundError(path)

    def invalidate_cache(self) -> None:
        """Nothing that was listed changes."""

    def _do(self, command: str, *arguments: str) -> list[Any]:
        said, answer = self._imap.uid(command, *arguments)
        if said != "OK":
            raise OSError(f"the server refuses {command}")
        return list(answer)

    def _info(self, head: tuple[bytes, bytes], mailbox: str, valid: str) -> dict[str, Any] | None:
        """A mail; None of one that can have no attachment."""
        uid, size = _UID.search(head[0]), _SIZE.search(head[0])
        mail = email.message_from_bytes(head[1], policy=email.policy.default)
        if (
            uid is None
            or size is None
            or mail.get_content_type() in ("text/plain", "text/html", "multipart/alternative")
        ):
            return None
        number = uid[1].decode()
        moment = imaplib.Internaldate2tuple(head[0])
        when = datetime(*moment[:6]).astimezone(UTC) if moment else datetime.now(UTC)
        sender = parseaddr(str(mail["From"] or ""))[1].lower()
        unit = self._senders.get(sender) or self._senders.get(f"@{sender.rpartition('@')[2]}") or ""
        subject = " ".join(str(mail["Subject"] or "").split()).replace("/", "／")[:LONGEST]
        return {
            "name": number,
            "title": f"{unit or sender}/{when:%Y-%m-%d} {subject or number}.eml",
            "url": f"imap://{self._host}/{urllib.parse.quote(mailbox)};UIDVALIDITY={valid}/;UID={number}",
            "type": "file",
            "size": int(size[1]),
            "mtime": when,
            "ETag": f"{valid}.{number}",
            "refused": "" if unit else f"a mail of {sender or 'nobody'}, whom no entry of `senders` maps to a unit",
        }


def attachments(mail: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each file attached to a mail; pictures within its text and signatures are none."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    for number, part in enumerate(message.walk(), 1):
        name = part.get_filename()
        if part.is_multipart() or part.get_content_type() in (
            "application/pkcs7-signature",
            "application/pgp-signature",
        ):
            continue
        if part.get_content_disposition() != "attachment" and (not name or part.get_content_maintype() == "image"):
            continue
        yield name or f"{number}", cast(bytes, part.get_payload(decode=True) or b"")


def _quoted(mailbox: str) -> str:
    """A mailbox's name as IMAP writes it, in its own UTF-7 (RFC 3501, 5.1.3)."""
    if not mailbox.isprintable():
        raise FileNotFoundError(mailbox)
    out = []
    for plain, other in re.findall(r"([\x20-\x7e]+)|([^\x20-\x7e]+)", mailbox):
        if plain:
            out.append(plain.replace("&", "&-"))
        else:
            out.append("&" + other.encode("utf-7").decode()[1:].rstrip("-").replace("/", ",") + "-")
    return '"' + "".join(out).replace("\\", "\\\\").replace('"', '\\"') + '"'
