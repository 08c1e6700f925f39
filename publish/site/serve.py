"""`mingzhang serve`: the site under uvicorn, until Ctrl-C.

Belongs here: the socket, the server's settings, and one sentence for each reason that it cannot start.
"""

from __future__ import annotations

import errno
import logging
import resource
import socket
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from publish.site import door
from publish.site.app import create_app
from publish.site.facts import ReleaseBroken, read_facts
from publish.site.guard import GuardUnavailable
from publish.site.questions import FILE as QUESTIONS
from publish.site.questions import questions
from publish.site.settings import SiteSettings
from publish.site.switch import NoCurrentRelease, current_folder


class CannotServe(RuntimeError):
    """The site cannot start. The message is one sentence: what is wrong and what to do."""

    exit_status = 1


def serve(home: Path, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve HOME/current at http://host:port/ until Ctrl-C. Raises CannotServe where it cannot start."""
    if not questions(QUESTIONS):
        raise CannotServe(
            f"{QUESTIONS.parent.name}/{QUESTIONS.name} is not there, or holds no question, and the query page begins with its "
            "questions; install Mingzhang again with its docs folder."
        )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = SiteSettings()
        app = create_app(home.resolve(), settings=settings)
        facts = read_facts(current_folder(home.resolve()))
    except (NoCurrentRelease, ReleaseBroken, GuardUnavailable) as e:
        raise CannotServe(str(e)) from e
    except ValidationError as e:
        wrong = e.errors()[0]
        name = "_".join(("MINGZHANG_SITE", *map(str, wrong["loc"]))).upper()
        raise CannotServe(
            f"The setting {name} cannot be used ({wrong['msg']}); docs/reference/settings.md says what it may be."
        ) from e
    _allow_files(2 * door.CONNECTIONS + 200)
    with _listen(host, port) as listening:
        shown = f"[{host}]" if ":" in host else host
        print(f"Release {facts.release_id} at http://{shown}:{listening.getsockname()[1]}/ (Ctrl-C ends)", flush=True)
        config = uvicorn.Config(
            app,
            log_level="error",  # an invalid request is no event of ours, and a flood of them fills a disk
            access_log=False,
            server_header=False,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=5,
            lifespan="on",
            ws="none",
            http=door.make(settings.trusted_proxies),
            limit_concurrency=door.CONNECTIONS,
            # Trusted for the client's address and for TLS; uvicorn would trust this machine by default.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
        )
        server = uvicorn.Server(config)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            return  # uvicorn has shut down cleanly and passes the signal on
        if not server.started:
            raise CannotServe(f"Release {facts.release_id} does not come up; the lines above say why.")


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files to what all connections need when each is sent a file, or to the user's maximum."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most) if most > 0 else wanted, most))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for way in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # inherited by each connection
        sock.setsockopt(socket.SOL_SOCKET, way, door.BUFFER_BYTES)
    try:
        sock.bind((host, port))
    except OSError as e:
        sock.close()
        if e.errno == errno.EADDRINUSE:
            raise CannotServe(f"Port {port} is taken by another program; end that, or give another --port.") from e
        raise CannotServe(f"Cannot listen on {host}:{port} ({e.strerror}); give another --host or --port.") from e
    sock.set_inheritable(False)
    return sock
