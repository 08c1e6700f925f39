#!/usr/bin/env bash
# great_expectations 1.24.1: each page of a "local" Data Docs site tells an outside host which project it is of and when it was made.
#
# Seen (Python 3.11), GX_ANALYTICS_ENABLED=false, a file context, one suite of one check, the pages read as files, no network:
#   index.html, the suite's page and the result's page each have their logo at great-expectations-web-assets.s3.us-east-2.amazonaws.com
#   with ?d=<time of the page's making>&dataContextId=<id of the project>, the same id in all and in great_expectations.yml,
#   and each loads 15 scripts and styles from six more hosts, 13 of them without a digest (integrity=).
# Why: the switch for analytics governs what Python sends; the pages are made from templates that do not ask it.
# Why it matters here: results about a ministry's records are looked at inside a government network. There the pages wait for hosts
# that cannot be reached; outside, a third party learns which project is looked at, when and from where. The pages made here forbid
# all outside requests by a Content-Security-Policy, and the index, which is useless without those scripts, is one of our own.
# Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q great_expectations==1.24.1
cat > pages.py <<'PY'
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import great_expectations as gx
import pandas as pd

LOGO = "great-expectations-web-assets.s3.us-east-2.amazonaws.com"


class Loads(HTMLParser):
    def __init__(self):
        super().__init__()
        self.pictures, self.others, self.digests = [], [], 0

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        address = given.get("src") or (given.get("href") if tag == "link" else None) or ""
        if address.startswith("http"):
            (self.pictures if tag == "img" else self.others).append(urlsplit(address))
            self.digests += "integrity" in given


context = gx.get_context(mode="file", project_root_dir=".")
context.variables.progress_bars = {"globally": False}
batches = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
check = gx.expectations.ExpectColumnValuesToNotBeNull(column="x")
suite = context.suites.add(gx.ExpectationSuite(name="s", expectations=[check]))
tested = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=batches, suite=suite))
docs = gx.checkpoint.UpdateDataDocsAction(name="d")
checkpoint = context.checkpoints.add(gx.Checkpoint(name="c", validation_definitions=[tested], actions=[docs]))
checkpoint.run(batch_parameters={"dataframe": pd.DataFrame({"x": [1, 2]})})

seen = []
for page in sorted(Path("gx/uncommitted/data_docs/local_site").rglob("*.html")):
    loads = Loads()
    loads.feed(page.read_text(encoding="utf-8"))
    (logo,) = loads.pictures
    told = sorted(parse_qs(logo.query))
    seen.append((logo.netloc, told, parse_qs(logo.query)["dataContextId"][0]))
    seen[-1] += (len({a.netloc for a in loads.others}), len(loads.others), loads.digests)
    print(page.name, *seen[-1])
project = str(gx.get_context(mode="file", project_root_dir=".").data_context_id)
sys.exit(seen != [(LOGO, ["d", "dataContextId"], project, 6, 15, 2)] * 3)
PY
export GX_ANALYTICS_ENABLED=false
venv/bin/python pages.py 2> log || { tail -20 log; exit 1; }
