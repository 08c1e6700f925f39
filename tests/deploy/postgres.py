"""A real PostgreSQL from Debian's packages, on this machine, as long as a test needs it.

Belongs here: starting it. Not here: what is tried with it (test_several_machines.py).
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.sources.servers import running


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database, with its password. The server does not run as root, so its files are of the user `postgres`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL on this machine; type: apt-get install postgresql")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    base = Path(tempfile.mkdtemp(prefix="mingzhang-postgres-"))
    try:
        password, port = secrets.token_hex(8), free_port()
        (base / "password").write_text(password)
        if as_user:
            for path in (base, base / "password"):
                shutil.chown(path, "postgres", "postgres")
        how = ["--auth=scram-sha-256", "--no-sync", f"--pwfile={base / 'password'}", "--locale=C.UTF-8"]
        made = subprocess.run(
            [*as_user, str(found[-1]), "-D", str(base / "data"), "-U", "mingzhang", *how],
            capture_output=True,
            text=True,
            cwd=base,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={base}", "-c", "fsync=off"]
        server = [*as_user, str(found[-1].with_name("postgres")), "-D", str(base / "data"), "-p", str(port), *options]
        with running(server, port, base / "log"):
            yield f"postgresql+psycopg2://mingzhang:{password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(base, ignore_errors=True)
