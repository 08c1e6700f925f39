"""Parses the text of a catalogue with the parser of CKAN's harvester, which knows no address of it, and gives what a portal would keep."""

import json
import logging
import sys
import urllib.request

logging.disable(logging.CRITICAL)
import ckanext.dcat.profiles.base as base  # noqa: E402
from ckanext.dcat.processors import RDFParser  # noqa: E402


class NoRegister:
    """The licences that a portal knows are in its database, which is not there."""

    def items(self):
        return []


base.LicenseRegister = NoRegister
text = urllib.request.urlopen(sys.argv[1]).read().decode("utf-8")
parser = RDFParser(profiles=["euro_dcat_ap_3"])
parser.parse(text, _format="json-ld")
kept = []
for d in parser.datasets():
    extras = {e["key"]: e["value"] for e in d.get("extras", [])}
    kept.append(
        {
            "title": d["title"],
            "url": d.get("url"),
            "tags": [t["name"] for t in d.get("tags", [])],
            "contact": (d.get("contact") or [{}])[0].get("name") or extras.get("contact_name"),
            "spatial": bool(d.get("spatial_coverage") or extras.get("spatial_text") or extras.get("spatial_uri")),
            "periods": [
                v for k, v in extras.items() if k in ("temporal_start", "temporal_end")
            ] + [v for t in d.get("temporal_coverage", []) for v in t.values()],
            "language": d.get("language") or extras.get("language"),
            "theme": d.get("theme") or extras.get("theme"),
            "resources": [
                {k: r.get(k) for k in ("url", "download_url", "license", "mimetype", "format", "size", "hash")} for r in d["resources"]
            ],
        }
    )  # fmt: skip
print(json.dumps(kept))
