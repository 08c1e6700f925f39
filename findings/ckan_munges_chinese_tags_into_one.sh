#!/usr/bin/env bash
# ckanext-dcat 2.4.4 on ckan 2.12.0: with clean_tags, all keywords in Chinese become "__", those with a year the year alone.
#
# Seen (Python 3.11), a catalogue with one dataset and the keywords 食堂, 能源, 能源2024, 预算2024 and waste, profile euro_dcat_ap_2:
#   ckanext.dcat.clean_tags false:  the five, as they are
#   ckanext.dcat.clean_tags true:   __, __, 2024, 2024, waste
# CKAN's own validator of tags takes 食堂 as it is: letters of any script are allowed in a tag.
# Its munge_title_to_name, which makes a dataset's address of its title, has the same: 能源统计 and 食堂统计 -> __.
# Why: both keep a-z and 0-9 and drop the rest, and fill up with _ what is then too short; é becomes e, but 能 has no such letter.
# Why it matters here: the switch is meant to save harvests that other characters would stop, and what it makes of a catalogue in
# Chinese is one tag for canteens, energy and all the rest, or a mere year, without an error; every dataset is found under it.
# A catalogue in Chinese needs keywords in English beside its own. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q "ckan[requirements]==2.12.0" ckanext-dcat==2.4.4
cat > tags.py <<'PY'
import sys

from ckan.common import config
from ckan.lib.munge import munge_title_to_name
from ckan.logic.validators import tag_name_validator
from ckanext.dcat.processors import RDFParser

KEYWORDS = ["waste", "能源", "能源2024", "预算2024", "食堂"]
CATALOGUE = f"""@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<urn:d> a dcat:Dataset ; dct:title "x" ; dcat:keyword {", ".join(f'"{k}"' for k in KEYWORDS)} ."""


def tags(clean):
    config["ckanext.dcat.clean_tags"] = clean
    parser = RDFParser(profiles=["euro_dcat_ap_2"])
    parser.parse(CATALOGUE, _format="turtle")
    (dataset,) = parser.datasets()
    return sorted(tag["name"] for tag in dataset["tags"])


seen = tags(False), tags(True)
valid = [tag_name_validator(k, {}) for k in KEYWORDS]
names = [munge_title_to_name(title) for title in ("能源统计", "食堂统计", "énergie")]
print(*seen, valid, names, sep="\n")
cleaned = ["2024", "2024", "__", "__", "waste"]
sys.exit(seen != (KEYWORDS, cleaned) or valid != KEYWORDS or names != ["__", "__", "energie"])
PY
venv/bin/python tags.py 2> log || { tail -20 log; exit 1; }
