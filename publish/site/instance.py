"""One release as a Datasette in each language: its settings, its labels, its templates, its guarded database.

Belongs here: building an ASGI app from a release folder. Not here: which release is served where (switch.py), the hooks of
Datasette (plugin.py), limits of a connection (guard.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasette.utils.asgi import Request, Response

from publish.site import compat
from publish.site.database import GuardedDatabase
from publish.site.facts import DB, read_facts
from publish.site.language import Language
from publish.site.plugin import SiteDatasette, error_response

HERE = Path(__file__).parent
THREADS = 3
SETTINGS: dict[str, Any] = {
    "sql_time_limit_ms": 500,
    "max_returned_rows": 1000,
    "default_page_size": 50,
    "allow_facet": False,
    "suggest_facets": False,
    "allow_download": False,  # a release's files are served as files
    "allow_csv_stream": False,
    "trace_debug": False,
    "template_debug": False,
    "default_cache_ttl": 60,
    "truncate_cells_html": 400,
}


class Instance:
    """One release, ready to answer requests under `base_url` ('/' or '/r/<release_id>/'); `ds` speaks the first language of the site.

    `in_worker`: for a process that runs public SQL: no threads, and exceptions by a visitor's arguments are status 400. Raises
    ReleaseBroken where the folder holds no servable release.
    """

    def __init__(self, folder: Path, base_url: str = "/", in_worker: bool = False, heap_limit: int = 256 << 20):
        self.facts = read_facts(folder)
        self.base_url = base_url
        self.speaking = {spoken: self._datasette(spoken, in_worker) for spoken in self.facts.order.both}
        self.ds = self.speaking[self.facts.order.first]
        self.db = GuardedDatabase(self.ds, self.facts.database, heap_limit)
        for ds in self.both:
            ds.add_database(self.db, name=DB)  # shared, so that one deadline holds for a request in either
        self._apps = {spoken: ds.app() for spoken, ds in self.speaking.items()}

    def _datasette(self, spoken: Language, in_worker: bool) -> SiteDatasette:
        first = spoken == self.facts.order.first
        base_url = self.base_url if first else f"{self.base_url}{spoken}/"
        threads = 0 if in_worker else THREADS if first else 1  # the second one uses the threads of the same database
        ds = SiteDatasette(
            self.facts,
            in_worker,
            spoken,
            files=[],
            static_mounts=[("static", str(HERE / "static"))],
            settings=SETTINGS | {"base_url": base_url, "num_sql_threads": threads},
            **compat.arguments(),
        )
        compat.prepare(ds)
        return ds

    @property
    def both(self) -> tuple[SiteDatasette, ...]:
        """Return the Datasette of each language, that of the site's first language first."""
        return tuple(self.speaking.values())

    def of_path(self, path: str) -> SiteDatasette:
        """Return the Datasette that speaks the language of a path."""
        return self.speaking[self.facts.order.of_path(path)]

    def route_of(self, path: str) -> str:
        """Return the path of the same page without its language."""
        return self.facts.order.in_language(path, self.facts.order.first)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request by the Datasette of the language of its path (ASGI)."""
        await self._apps[self.facts.order.of_path(scope["path"])](scope, receive, send)

    async def start(self) -> None:
        """Start Datasette; nothing is answered before."""
        for ds in self.both:
            await ds.invoke_startup()
        await self.db.table_counts(limit=10_000)

    async def health(self) -> None:
        """Request the main pages. Raises ReleaseUnhealthy where one is not answered with 200."""
        paths = ["/", "/indicators", "/claims", "/datasets", f"/{DB}", f"/{DB}/indicators.json?_shape=array"]
        if self.facts.headline:
            paths.append(f"/indicators/{self.facts.headline}")
        for ds in self.both:
            for path in paths:
                response = await ds.client.get(path)
                if response.status_code != 200:
                    raise ReleaseUnhealthy(
                        f"{path} of release {self.facts.release_id} answered {response.status_code} ({ds.language})."
                    )

    async def error(self, request: Request, status: int, code: str, zh: str, en: str) -> Response:
        """Return the answer to a refused request: JSON where the path asks for data, else a page."""
        return await error_response(self.of_path(request.path), request, status, code, zh, en)

    def close(self) -> None:
        """Release threads, connections and memory; called once, when no request uses the instance."""
        self.db.close()
        for ds in self.both:
            compat.close(ds)


class ReleaseUnhealthy(RuntimeError):
    """A release that opens but does not answer its main pages."""
