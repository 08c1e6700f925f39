"""ro-crate-metadata.json: the release as an RO-Crate 1.1, which archives of research data read.

Belongs here: the crate's words. Not here: the files described. SHA256SUMS, which is made last, and what may still be written into
after the crate (`changing`) are named without size and checksum.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from publish.catalog import About, File
from publish.files import CRATE, SUMS

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PUBLISHER, PLACE = "#publisher", "#place"


def crate(about: About, files: Iterable[tuple[File, str]], changing: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The crate. `files`: each file with its media type; `changing`: path and media type of those that are not final."""
    city = about.city
    licence = city.licence_url or "#licence"
    known = [{**_file(f.path, media), "contentSize": str(f.bytes), "sha256": f.sha256} for f, media in files] + [
        _file(path, media) for path, media in [*changing, (SUMS, "text/plain")]
    ]
    known.sort(key=lambda entry: str(entry["@id"]))
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{about.title_zh} / {about.title_en}",
        "description": " ".join(
            filter(None, (about.notice, f"{about.title_zh}，数据截至 {about.as_of}。", f"As of {about.as_of}."))
        ),
        "identifier": about.release_id,
        "version": about.release_id,
        "datePublished": about.as_of.isoformat(),
        "license": {"@id": licence},
        "publisher": {"@id": PUBLISHER},
        "author": {"@id": PUBLISHER},
        "spatialCoverage": {"@id": PLACE},
        "inLanguage": ["zh-CN", "en"],
        "hasPart": [{"@id": entry["@id"]} for entry in known],
    }
    return {
        "@context": [CONTEXT, {"sha256": "https://schema.org/sha256"}],
        "@graph": [
            {
                "@id": CRATE,
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                "about": {"@id": "./"},
            },
            root,
            {"@id": PUBLISHER, "@type": "Organization", "name": f"{city.publisher_zh} / {city.publisher_en}"},
            {
                "@id": licence,
                "@type": "CreativeWork",
                "name": city.licence_name or city.licence_en,
                "description": f"{city.licence_zh} / {city.licence_en}",
            },
            {"@id": PLACE, "@type": "Place", "name": f"{city.name_zh} / {city.name_en}", "identifier": city.code},
            *known,
        ],
    }


def _file(path: str, media: str) -> dict[str, Any]:
    return {"@id": path, "@type": "File", "name": path, "encodingFormat": media.partition(";")[0]}
