"""Debian's nginx with the configuration we ship, in front of real servers, as tests start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


def configure(folder: Path, upstreams: list[str], plain: int, secure: int) -> Path:
    """Write the shipped file with this machine's ports, certificate and cache in place of what an operator fills in."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        "server 127.0.0.1:8001;": "".join(f"server {u.removeprefix('http://')};" for u in upstreams),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "data.example.gov.cn": "localhost",
        "/etc/ssl/mingzhang/fullchain.pem": str(folder / "cert.pem"),
        "/etc/ssl/mingzhang/privkey.pem": str(folder / "key.pem"),
        "/var/cache/nginx/mingzhang": str(folder / "cache"),
    }
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    temporary = "".join(f"{n}_temp_path {folder}/{n};\n" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;\n" if os.getuid() == 0 else ""  # who else could not read the folders that pytest makes
    main = folder / "nginx.conf"
    main.write_text(
        f"{user}worker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{temporary}include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    return main


@dataclass(frozen=True)
class Front:
    """nginx before its servers, its files in `folder`; `get` gives status, headers and body."""

    folder: Path
    base: str
    plain: str
    client: httpx.Client

    def get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = self.client.request(method, self.base + path, headers=headers)
        return answer.status_code, answer.headers, answer.content


@contextmanager
def fronting(folder: Path, upstreams: list[str]) -> Iterator[Front]:
    """nginx before the sites at these addresses, until the context ends; its files are in `folder`."""
    assert NGINX is not None
    folder.chmod(0o755)
    plain, secure = free_port(), free_port()
    main = configure(folder, upstreams, plain, secure)
    checked = subprocess.run([NGINX, "-t", "-c", str(main)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and "[warn]" not in checked.stderr.replace('"user" directive', ""), checked.stderr
    process = subprocess.Popen([NGINX, "-c", str(main)], stderr=subprocess.PIPE, text=True)
    made = Front(
        folder, f"https://localhost:{secure}", f"http://localhost:{plain}", httpx.Client(verify=False, timeout=20)
    )
    try:
        for _ in range(100):
            try:
                if made.get("/healthz")[0] == 200:
                    break
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
        yield made
    finally:
        made.client.close()
        process.terminate()
        process.communicate(timeout=20)
