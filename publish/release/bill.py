"""The bill of materials of a release (CycloneDX 1.6): the packages of the installation that made it, HOME/sbom/<release_id>.cdx.json.

Belongs here: writing and finding it. Not here: the release. The bill lies beside it, because the same inputs and code give the same
release on every installation, and each installation has its own packages. It has no clock and no path: the same installation gives the
same bytes. Read from the metadata of what is installed, not from the lock file, which says what should be.
"""

from __future__ import annotations

import json
import platform
import uuid
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.core.home import RELEASE_ID, Home, release_folders, whole_file
from publish.errors import NoSuchRelease
from publish.release.store import folder

OURS = "mingzhang"
EXTRAS = ("inboxes", "spark")  # of ours, which belong to an installation where their packages are there
LONGEST_LICENCE = 80  # characters; more is the licence itself and not its name
Parts = dict[str, tuple[Distribution, list[str]]]


def path(home: Home, release_id: str) -> Path:
    """The path of the bill of a release."""
    return home.bills / f"{release_id}.cdx.json"


def keep(home: Home, release_id: str) -> None:
    """Write the bill of a release that this installation has just made, and delete those of releases that are gone."""
    home.bills.mkdir(exist_ok=True)
    with whole_file(path(home, release_id), durable=True) as part:
        part.write_text(text(), encoding="utf-8")
    kept = {p.name for p in (*release_folders(home.releases), *release_folders(home.held))} | {release_id}
    for old in home.bills.glob("*.cdx.json"):
        name = old.name.removesuffix(".cdx.json")
        if RELEASE_ID.fullmatch(name) and name not in kept:
            old.unlink()


def read(home: Home, release_id: str) -> str:
    """The bill of a kept release. Raises NoSuchRelease, also where the release was made before bills were kept."""
    name = folder(home, release_id).name
    try:
        return path(home, name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NoSuchRelease(
            f"{home.root} keeps no bill of materials of {name}; the version that made it wrote none, or it was deleted."
        ) from None


@lru_cache
def text() -> str:
    """The bill of this installation."""
    parts = _installed()
    root = _reference(parts[OURS][0])
    python = {
        "type": "platform",
        "bom-ref": f"python@{platform.python_version()}",
        "name": platform.python_implementation(),
    }
    about: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", **_described(parts[OURS][0])}},
        "components": [
            *({"type": "library", **_described(d)} for name, (d, _) in sorted(parts.items()) if name != OURS),
            python | {"version": platform.python_version()},
        ],
        "dependencies": [
            {"ref": _reference(d), "dependsOn": sorted({_reference(parts[n][0]) for n in needs})}
            for _, (d, needs) in sorted(parts.items())
        ],
    }
    about["dependencies"].append({"ref": python["bom-ref"], "dependsOn": []})
    about["dependencies"][[d["ref"] for d in about["dependencies"]].index(root)]["dependsOn"].append(python["bom-ref"])
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(about, sort_keys=True))
    return json.dumps({**about, "serialNumber": f"urn:uuid:{serial}"}, ensure_ascii=False, indent=1) + "\n"


def _installed() -> Parts:
    """Our package and all it needs, by canonical name, each with the names of what it needs itself. Tools of development and whatever
    else shares the environment are in no release, and so not here."""
    found: Parts = {}
    waiting = [(OURS, frozenset(EXTRAS))]
    asked: dict[str, set[str]] = {}
    while waiting:
        name, extras = waiting.pop()
        known = asked.setdefault(name, set())
        if name in found and extras <= known:
            continue
        known |= extras
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            continue  # of an extra that is not installed
        needs = found.setdefault(name, (dist, []))[1]
        for line in dist.requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": e}) for e in {"", *known}):
                needed = canonicalize_name(wanted.name)
                needs.append(needed)
                waiting.append((needed, frozenset(wanted.extras)))
    return {name: (d, [n for n in needs if n in found and n != name]) for name, (d, needs) in found.items()}


def _reference(dist: Distribution) -> str:
    """The package's purl, by which the bill names it."""
    return f"pkg:pypi/{canonicalize_name(dist.metadata['Name'])}@{dist.version.replace('+', '%2B')}"


def _described(dist: Distribution) -> dict[str, Any]:
    out: dict[str, Any] = {"bom-ref": _reference(dist), "name": canonicalize_name(dist.metadata["Name"])}
    out |= {"version": dist.version, "purl": _reference(dist)}
    if licences := _licences(dist):
        out["licenses"] = licences
    return out


def _licences(dist: Distribution) -> list[dict[str, Any]]:
    """The licence as the package states it: an SPDX expression, else the short name of the field or of the classifiers."""
    about = dist.metadata
    if expressions := about.get_all("License-Expression"):
        return [{"expression": expressions[0]}]
    stated = "".join(about.get_all("License") or []).strip()
    named = [c.rsplit(" :: ", 1)[-1] for c in about.get_all("Classifier") or [] if c.startswith("License :: ")]
    names = [stated] if stated and len(stated) <= LONGEST_LICENCE and "\n" not in stated else sorted(set(named))
    return [{"license": {"name": name}} for name in names]
