"""A release as a BagIt bag (RFC 8493): the form in which archives take a folder in and check it for as long as they keep it.

Belongs here: the folder of the bag. Not here: depositing it (docs/how-to/archive-a-release.md). The same release gives the same bytes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipelines.core.digests import file_sha256
from pipelines.core.home import Home
from publish.errors import ReleaseError
from publish.release import store

PAYLOAD, MANIFEST = "data", "manifest-sha256.txt"


def bag(home: Home, release_id: str, to: Path) -> Path:
    """Make the folder `to` a bag of a release that is as it was published, and give its path.

    Raises NoSuchRelease, and ReleaseError where the release was changed or `to` is there already.
    """
    release = store.folder(home, release_id)
    wrong = store.verify(home, release.name)
    if wrong:
        raise ReleaseError(f"Release {release.name} is damaged and was not put into a bag: {wrong[0]}")
    if to.exists():
        raise ReleaseError(f"{to} is there already; name a folder that is not.")
    part = to.with_name(f".{to.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        shutil.copytree(release, part / PAYLOAD)
        _describe(part, release, store.show(home, release.name))
        part.rename(to)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return to


def _describe(folder: Path, release: Path, record: dict[str, Any]) -> None:
    """Write the tag files: the manifest is what the release says of its own files, and that list itself."""
    sums = (release / store.SUMS).read_text(encoding="utf-8")
    listed = [*sums.splitlines(), f"{file_sha256(release / store.SUMS)}  {store.SUMS}"]
    manifest = "".join(f"{digest}  {PAYLOAD}/{name}\n" for digest, _, name in (line.partition("  ") for line in listed))
    city = record["city"]
    sizes = [p.stat().st_size for p in (folder / PAYLOAD).rglob("*") if p.is_file()]
    about = {
        "Source-Organization": f"{city['publisher_zh']} {city['publisher_en']}",
        "External-Identifier": release.name,
        "External-Description": " ".join(filter(None, (record["notice_zh"], record["notice_en"], city["licence_en"]))),
        "Payload-Oxum": f"{sum(sizes)}.{len(sizes)}",
    }
    tags = {
        "bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": "".join(f"{name}: {text}\n" for name, text in about.items()),
        MANIFEST: manifest,
    }
    for name, text in tags.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    lines = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in sorted(tags))
    (folder / "tagmanifest-sha256.txt").write_text(lines, encoding="utf-8", newline="\n")
