"""The pictures of the README, by Debian's Chromium: `python -m tests.browser.screenshots --home data` writes docs/images/.

Belongs here: which pages are shown, and serving a home for a browser. The home is a whole made-up city, as `make demo` makes it.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SERVE = "import sys; from pathlib import Path; from publish.site.serve import serve; serve(Path(sys.argv[1]), port=int(sys.argv[2]))"
# name: address, width, height
PICTURES = {
    "home": ("/", 1280, 1260),
    "indicator": ("/indicators/energy_per_capita", 1280, 1120),
    "statement": ("/claims/pv_co2_avoided", 1280, 1180),
    "provenance": ("/indicators/parking_spaces/2025", 1280, 1120),
    "phone": ("/topics/energy", 375, 812),
}


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The site of a home in a process of its own; gives its address once it answers."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(home), str(port)], cwd=ROOT)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


def take(home: Path, folder: Path) -> None:
    """Writes each of PICTURES as a PNG of what is first seen of its page."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with served(home) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        for name, (path, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            answer = page.goto(address + path, wait_until="load")
            assert answer is not None and answer.status == 200, f"{path} is not there; is {home} a whole made-up city?"
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    take(arguments.home, arguments.out)
