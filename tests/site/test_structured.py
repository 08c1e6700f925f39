"""What pages say of themselves to search engines: read by rdflib, whose list of schema.org's terms is not ours."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rdflib import RDF, SDO, Graph, URIRef

from publish.catalog import schema_org
from publish.site.app import create_app
from publish.site.settings import SiteSettings

RELEASE = "2025-12-31-0a1b2c3d"
PAGES = ("/", "/indicators", "/indicators/energy_tce", "/claims", "/claims/co2", "/datasets", "/datasets/parking_lots", "/about",
         "/mingzhang", "/mingzhang/parking_lots", "/mingzhang?sql=select+1", "/en/indicators/energy_tce", f"/r/{RELEASE}/indicators/energy_tce")  # fmt: skip


@pytest.fixture(scope="module")
def get(home: Path) -> Iterator[Callable[[str], httpx.Response]]:
    loop = asyncio.new_event_loop()
    site = create_app(home, 2, SiteSettings(requests_each_second=0))
    loop.run_until_complete(site.start())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="https://data.example", timeout=30)
    yield lambda path: loop.run_until_complete(client.get(path))
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(site.close())
    loop.close()


def block_of(text: str) -> dict[str, Any]:
    head = text[: text.index("</head>")]
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', head, re.S)
    assert len(found) == 1
    return dict(json.loads(found[0]))


def graph_of(block: dict[str, Any]) -> Graph:
    return Graph().parse(data=json.dumps(block), format="json-ld")


def unknown(graph: Graph) -> set[str]:
    """Terms in the block that schema.org does not have."""
    used = {str(p) for p in graph.predicates()} | {str(o) for o in graph.objects(None, RDF.type)}
    return {t for t in used - {str(RDF.type)} if URIRef(t) not in SDO}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_describes_a_dataset(get: Callable[[str], httpx.Response], path: str) -> None:
    response = get(path)
    block = block_of(response.text)
    graph = graph_of(block)
    assert unknown(graph) == set()
    (dataset,) = [s for s in graph.subjects(RDF.type, SDO.Dataset) if (s, SDO.description, None) in graph]
    said = str(graph.value(dataset, SDO.description))
    assert 50 <= len(said) <= 5000 and "合成示例数据" in said and RELEASE in said
    assert str(dataset).startswith(f"https://data.example/r/{RELEASE}/")
    for needed in (SDO.name, SDO.license, SDO.creator, SDO.version):
        assert (dataset, needed, None) in graph
    # It is data and not script: the page's policy still lets no inline script run.
    policy = response.headers["content-security-policy"]
    assert "unsafe-inline" not in policy and "default-src 'none'" in policy


def test_an_indicator_and_a_dataset_say_what_they_are(get: Callable[[str], httpx.Response]) -> None:
    indicator = block_of(get("/indicators/energy_tce").text)
    assert indicator["name"] == "综合能耗 Energy use" and indicator["temporalCoverage"] == "2021/2025"
    assert indicator["variableMeasured"][0]["unitText"] == "tce" and indicator["keywords"] == ["能源"]
    table = block_of(get("/datasets/parking_lots").text)
    (file,) = table["distribution"]
    assert file["contentUrl"] == f"https://data.example/r/{RELEASE}/files/csv-plain/parking_lots.csv"
    assert get(file["contentUrl"].removeprefix("https://data.example")).status_code == 200
    assert get(table["@id"].removeprefix("https://data.example")).status_code == 200


def test_a_term_that_schema_org_does_not_have_is_found() -> None:
    block = {"@context": schema_org.CONTEXT, "@id": "urn:x", "@type": "DataSet", "titel": "x"}
    assert unknown(graph_of(block)) == {"https://schema.org/DataSet", "https://schema.org/titel"}
    assert URIRef("https://schema.org/Dataset") == SDO.Dataset


def test_nothing_in_the_block_ends_it() -> None:
    text = schema_org.script({"name": "</script><script>alert(1)</script><!--&"})
    assert "<" not in text and "&" not in text and json.loads(text)["name"].startswith("</script>")
