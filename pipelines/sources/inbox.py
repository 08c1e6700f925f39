"""Lists an inbox. Belongs here: where files lie and how old they say they are. Not here: keeping or reading them.

A remote inbox needs a driver (`make inboxes`). No password may stand in its address, which is shown and written down: it
comes from the environment, as docs/deploy.md says, or there is none and a key is used.
"""

from __future__ import annotations

import errno
import os
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipelines.core.filenames import printable, printable_url
from pipelines.sources.source import Source, SourceError, as_source

# Whose address has a host that fsspec's own paths lack.
HOSTED = ("sftp", "ssh", "smb", "dav", "davs", "http", "https")
OWN = ("dav", "davs", "imap", "imaps")  # beside what fsspec knows
CONNECT_SECONDS = 30
BACK_OFF = (1.0, 4.0)  # seconds before a source that did not answer is asked again
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PASSWORDS = {  # where it is not FSSPEC_<SCHEME>_PASSWORD
    "s3": "AWS_SECRET_ACCESS_KEY",
    "ssh": "FSSPEC_SFTP_PASSWORD",
    "davs": "FSSPEC_DAV_PASSWORD",
    "https": "FSSPEC_HTTP_PASSWORD",
    "imaps": "FSSPEC_IMAP_PASSWORD",
}

# Temporary and system files of Office, Windows and macOS; they never hold a department's data.
LITTER = ("~$", ".~lock.", "._")
LITTER_NAMES = {"thumbs.db", "desktop.ini", ".ds_store"}


class InboxError(RuntimeError):
    """An inbox that cannot be listed or read. The message names it and the remedy."""

    exit_status = 2


class SourceDown(InboxError):
    """An inbox that is rightly named and does not answer: the fault of the day, not of the configuration."""

    exit_status = 1
    down: Mapping[str, str] = {}  # where no inbox answers, a sentence for each, by its address


@dataclass(frozen=True)
class InboxFile:
    """One file of an inbox. `name` is its path below the inbox, with '/'; `modified` is UTC, None where unknown.

    The contents of a file are unchanged where all of its `attributes` are, if the file is older than a tick of its clock (seen.py);
    `changed_ns` is the time of its last change, None where unknown.
    """

    url: str
    name: str
    size: int
    modified: datetime | None
    _fs: Any
    _path: str
    attributes: tuple[int | str, ...]
    changed_ns: int | None
    refused: str = ""  # why it is not taken, such as a mail from a stranger; '' of any other

    @property
    def is_local(self) -> bool:
        return isinstance(self._fs, LocalFileSystem)

    def read(self) -> bytes:
        """The whole content. Raises SourceDown where the source does not give it."""
        try:
            if self.is_local:
                return Path(self._path).read_bytes()
            return bytes(self._fs.cat_file(self._path))
        except OSError as e:
            raise SourceDown(
                f"{self.url} is listed but cannot be read ({e.strerror or type(e).__name__}); check its permissions."
            ) from e
        except Exception as e:  # each driver has faults of its own
            raise SourceDown(
                f"{self.url} is listed but cannot be read ({_why(e)}); check the network and its permissions."
            ) from e

    def attributes_now(self) -> tuple[int | str, ...] | None:
        """Return `attributes` as of now; None where the file is gone. Raises SourceDown."""
        try:
            if self.is_local:
                return _local_attributes(os.stat(self._path))  # noqa: PTH116
            self._fs.invalidate_cache()
            return _remote_attributes(self._fs.info(self._path))
        except FileNotFoundError:
            return None
        except Exception as e:  # each driver has faults of its own
            raise SourceDown(
                f"{self.url} is listed but cannot be looked at ({_why(e)}); check the network and its permissions."
            ) from e


def list_inbox(source: str | Source) -> list[InboxFile]:
    """Every file below a source (a folder, a single file, the mails of a mailbox, or a URL that fsspec can open), in order of name.

    Office's lock files and the litter of file managers are left out; links that lead out of a local inbox are not
    followed, nor any link of a remote one. Raises InboxError where the inbox is missing, SourceDown where it does not answer: an
    outage must not look like no new files.
    """
    source = as_source(source)
    inbox, scheme = source.address, source.scheme
    refuse_password(inbox)
    if scheme not in (*OWN, *fsspec.available_protocols()):
        raise InboxError(
            f"The inbox {inbox} cannot be opened (nothing here speaks {scheme}); give a folder or a URL such as sftp://host/path."
        )
    try:
        fs, root = _open(source)
    except (InboxError, SourceError):
        raise
    except ImportError as e:
        raise InboxError(
            f"The inbox {inbox} needs a driver that is not installed ({_why(e)}); type: make inboxes"
        ) from e
    except Exception as e:  # each driver has faults of its own
        raise SourceDown(
            f"The inbox {inbox} cannot be reached ({_why(e)}); check the address, the network and your rights."
        ) from e
    try:
        if isinstance(fs, LocalFileSystem):
            if not fs.exists(root):
                raise FileNotFoundError
            found = list(_local(Path(root)))
        elif scheme.startswith("imap"):
            found = [_message(fs, info) for info in fs.ls(root)]
        else:
            found = list(_remote(fs, root, inbox))
    except Exception as e:
        if isinstance(e, OSError) and (isinstance(e, FileNotFoundError) or e.errno == errno.ENOENT):
            raise InboxError(f"There is no inbox at {inbox}; make the folder or give another --inbox.") from e
        raise SourceDown(
            f"The inbox {inbox} cannot be listed ({_why(e)}); check the address, the network and your rights."
        ) from e
    return sorted((f for f in found if not _litter(f.name)), key=lambda f: f.name)


def list_patiently(source: str | Source) -> list[InboxFile]:
    """`list_inbox`, asked again where the source does not answer, after each of BACK_OFF seconds."""
    for seconds in BACK_OFF:
        try:
            return list_inbox(source)
        except SourceDown:
            time.sleep(seconds)
    return list_inbox(source)


def refuse_password(inbox: str) -> None:
    """Raises InboxError, which does not repeat it, where an inbox's address holds a password."""
    scheme, slashes, rest = inbox.partition("://")
    server = rest.partition("/")[0]
    account = server.rpartition("@")[0]
    cut = not account and "@" in rest and not server.partition(":")[2].isdigit()  # a slash in the password
    if slashes and (":" in account or (":" in server and cut)):
        user, place = rest.partition(":")[0], rest.rpartition("@")[2]
        raise InboxError(
            f"The address of the inbox {scheme}://{user}@{place} holds a password, and addresses are shown and written down; "
            f"take it out and set {_default_env(scheme.lower())} instead."
        )


def _default_env(scheme: str) -> str:
    """The environment variable of the password for every source of a scheme."""
    return PASSWORDS.get(scheme, f"FSSPEC_{scheme.upper()}_PASSWORD")


def _open(source: Source) -> tuple[Any, str]:
    """Return the file system of a source, without any cached listing, and the path in it."""
    inbox, scheme = source.address, source.scheme
    # Without a variable of its own, fsspec's drivers find theirs.
    own = {"password": source.password()} if source.password_env else {}
    if scheme in ("sftp", "ssh"):
        from pipelines.sources.sftp import KnownHosts

        options = KnownHosts._get_kwargs_from_urls(inbox) | own | ({"username": source.user} if source.user else {})
        fs = KnownHosts(**options, timeout=CONNECT_SECONDS, skip_instance_cache=True)
        return fs, fs._strip_protocol(inbox)
    if scheme in ("dav", "davs", "http", "https", "imap", "imaps"):
        return _over_the_web(source)
    if scheme == "s3":
        options = {"key": source.user, "secret": source.password(), "endpoint_url": source.endpoint}
        options = {k: v for k, v in options.items() if v} if source.password_env else {}
    elif scheme == "smb":
        # Whoever has a file of a share open in Excel may go on writing it; without this the driver would shut everybody out.
        options = {"share_access": "rw", "timeout": CONNECT_SECONDS, **own}
        options |= {"username": source.user} if source.user else {}
    else:
        options = own
    fs, root = fsspec.core.url_to_fs(inbox, skip_instance_cache=True, **options)
    return fs, root


def _over_the_web(source: Source) -> tuple[Any, str]:
    """The same of WebDAV, HTTP and IMAP, whose passwords go no further than they are meant to."""
    parts = urllib.parse.urlsplit(source.address)
    user = source.user or urllib.parse.unquote(parts.username or "")
    password = source.password(_default_env(source.scheme)) if user else None
    if password and not source.scheme.endswith("s") and parts.hostname not in LOOPBACK:
        raise InboxError(
            f"The inbox {source.address} would get its password over a line that anybody can read; write {source.scheme}s://, or take the "
            "account out of its address."
        )
    root = urllib.parse.unquote(parts.path).rstrip("/") or "/"
    if source.scheme.startswith("imap"):
        from pipelines.sources.mail import ImapMailbox

        return ImapMailbox(parts, user, password, source.senders, CONNECT_SECONDS), root
    server = f"http{'s' if source.scheme.endswith('s') else ''}://{parts.netloc.rpartition('@')[2]}"
    auth = (user, password) if user and password else None
    if source.scheme.startswith("dav"):
        from pipelines.sources import dav

        return dav.filesystem(server, auth, CONNECT_SECONDS), root
    from pipelines.sources.http import HttpListing

    return HttpListing(server, root, auth, CONNECT_SECONDS), root


def _message(fs: Any, info: dict[str, Any]) -> InboxFile:
    """A mail of a mailbox as a file: its attachments are what it holds."""
    # A mail never changes: however new it is, its attributes can be trusted.
    return InboxFile(
        info["url"],
        printable(info["title"]),
        info["size"],
        info["mtime"],
        fs,
        info["name"],
        _remote_attributes(info),
        0,
        info["refused"],
    )


def _local(root: Path) -> Iterator[InboxFile]:
    fs = LocalFileSystem()
    base = root.resolve()
    if base.is_file():
        yield _of_path(fs, str(base), base.name)
        return

    def refuse(e: OSError) -> None:
        raise e

    # os.walk swallows unreadable folders unless told not to.
    for folder, folders, files in os.walk(base, onerror=refuse):
        folders.sort()
        below = folder[len(str(base)) :].lstrip(os.sep).replace(os.sep, "/")
        for name in files:
            path = f"{folder}/{name}"
            if os.path.islink(path) and not Path(path).resolve().is_relative_to(base):  # noqa: PTH114
                continue
            yield _of_path(fs, path, f"{below}/{name}" if below else name)


def _of_path(fs: LocalFileSystem, path: str, name: str) -> InboxFile:
    """Without a Path for each: a run that finds nothing new does little else than this."""
    s = os.stat(path)  # noqa: PTH116
    modified = datetime.fromtimestamp(s.st_mtime, UTC)
    url = "file://" + urllib.parse.quote_from_bytes(os.fsencode(path))
    return InboxFile(url, printable(name), s.st_size, modified, fs, path, _local_attributes(s), s.st_ctime_ns)


def _local_attributes(s: os.stat_result) -> tuple[int | str, ...]:
    return (s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)


def _remote(fs: Any, root: str, inbox: str) -> Iterator[InboxFile]:
    """fsspec's own walk leaves out, in silence, the folders that it may not list; this one fails at the first."""
    root = root.rstrip("/") or "/"
    top = fs.info(root)
    base = root.rsplit("/", 1)[0] if top["type"] == "file" else root.rstrip("/")
    entries = [top]
    while entries:
        info = entries.pop()
        path = info["name"].rstrip("/")
        if info["type"] == "directory":
            entries += [e for e in fs.ls(path or "/", detail=True) if e["name"].rstrip("/") != path]
        elif info["type"] == "file":
            name = path[len(base) :].lstrip("/")
            size, modified = int(info.get("size") or 0), _modified(info)
            changed = None if modified is None else int(modified.timestamp() * 1e9)
            yield InboxFile(
                printable_url(_url(fs, path, inbox)),
                printable(name),
                size,
                modified,
                fs,
                path,
                _remote_attributes(info),
                changed,
            )


def _remote_attributes(info: dict[str, Any]) -> tuple[int | str, ...]:
    return (int(info.get("size") or 0), str(_modified(info)), str(info.get("ETag") or info.get("etag") or ""))


def _url(fs: Any, path: str, inbox: str) -> str:
    """The address of a file, without the account it is read with."""
    parts = urllib.parse.urlsplit(inbox)
    if parts.scheme.lower() in HOSTED:
        return f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2].lower()}/{path.lstrip('/')}"
    return str(fs.unstrip_protocol(path))


def _modified(info: dict[str, Any]) -> datetime | None:
    """What a file system calls the time of change; each calls it something else."""
    for key in ("mtime", "LastModified", "last_modified", "modified", "updated", "time"):
        value = info.get(key)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    return None


def _litter(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return base.startswith(LITTER) or base.lower() in LITTER_NAMES


def _why(e: BaseException) -> str:
    return " ".join(str(e).split())[:160] or type(e).__name__
