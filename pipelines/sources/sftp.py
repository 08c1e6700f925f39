"""An inbox over SFTP that believes only a server it knows.

Belongs here: what fsspec's driver leaves open. Imported only where an inbox is one, for paramiko need not be installed.
"""

from __future__ import annotations

from contextlib import suppress

import paramiko  # type: ignore[import-untyped]
from fsspec.implementations.sftp import SFTPFileSystem


class KnownHosts(SFTPFileSystem):
    """fsspec's SFTP, which would take any key that a server shows, with the user's and the machine's known_hosts instead.

    Raises paramiko's SSHException where the server is not in them or shows another key.
    """

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        with suppress(FileNotFoundError):
            self.client.load_system_host_keys("/etc/ssh/ssh_known_hosts")
        self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        seconds = self.ssh_kwargs.get("timeout")
        # The driver's `timeout` is for the connection alone: a server that falls silent later would be waited for without an end.
        silence = dict.fromkeys(("banner_timeout", "auth_timeout", "channel_timeout"), seconds) if seconds else {}
        self.client.connect(self.host, **(silence | self.ssh_kwargs))
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(seconds)
