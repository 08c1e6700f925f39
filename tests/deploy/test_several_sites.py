"""Two sites, each on its own copy of the releases, behind one nginx: one answer, whichever gives it, and none is lost with a site."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.deploy.nginx import NGINX, fronting
from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import FREE, PROXIED, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("nginx"),
    pytest.mark.skipif(NGINX is None, reason="no nginx: type `make nginx`, or apt-get install nginx"),
]
PATHS = (
    "/",
    "/en/claims",
    "/indicators/energy_tce",
    "/api/v1/indicators/energy_tce",
    "/mingzhang/claims.json?_shape=array",
    "/files/csv/parking_lots.csv",
    f"/r/{FIRST}/claims",
)


@pytest.fixture
def homes(tmp_path: Path) -> list[Path]:
    """The home of the pipeline and what another machine has of it: the folder of releases and the link."""
    first, copy = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    build_release(first, FIRST)
    point_current(first, FIRST)
    shutil.copytree(first, copy, symlinks=True)
    return [first, copy]


def test_readers_see_one_site_whichever_answers_and_whichever_is_lost(homes: list[Path], tmp_path: Path) -> None:
    first, copy = homes
    (folder := tmp_path / "nginx").mkdir()
    with ExitStack() as to_lose, serving(copy, FREE | PROXIED) as (two, _):
        one, _ = to_lose.enter_context(serving(first, FREE | PROXIED))
        with fronting(folder, [one, two]) as front:
            for path in PATHS:
                a, b = (httpx.get(base + path, headers={"host": "localhost"}) for base in (one, two))
                assert a.status_code == b.status_code == 200, path
                assert a.content == b.content and a.headers.get("etag") == b.headers.get("etag"), path

            # A new release is on every machine before any of them serves it: a link to it fails nowhere.
            build_release(first, SECOND, scale=0.5)
            shutil.copytree(first / "releases" / SECOND, copy / "releases" / SECOND)
            for home, base in ((first, one), (copy, two)):
                point_current(home, SECOND)
                _wait_until_served(base, SECOND)
                answers = [front.get(f"/r/{SECOND}/indicators?from={home.name}{n}") for n in range(8)]
                assert {status for status, *_ in answers} == {200}

            to_lose.close()  # as when a machine is started again
            answers = [front.get(f"/api/v1/indicators?limit={n}") for n in range(11, 31)]  # none of them in the cache
            assert {status for status, *_ in answers} == {200}
            assert {json.loads(body)["release"]["release_id"] for *_, body in answers} == {SECOND}


def _wait_until_served(base: str, release: str) -> None:
    """Wait until a site answers from a release."""
    for _ in range(200):
        if json.loads(httpx.get(base + "/healthz").content)["release"] == release:
            return
        time.sleep(0.1)
    raise AssertionError(f"{base} does not serve {release}")
