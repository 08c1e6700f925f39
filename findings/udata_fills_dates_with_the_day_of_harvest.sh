#!/usr/bin/env bash
# udata 17.18.0: a period from 2021 to 2023 is harvested as one from today's day and month of 2021 to today's day and month of 2023.
#
# Seen (Python 3.11, rdflib 7.6.0) with temporal_from_rdf(), which the DCAT harvester calls, on 28 November:
#   dct:temporal is a PeriodOfTime            start        end
#   "2021"^^xsd:gYear to "2023"^^xsd:gYear    2021-11-28   2023-11-28
#   "2021"^^xsd:gYear to the same             2021-11-28   2021-11-28  (a year has become a day)
#   "2023-01"^^xsd:gYearMonth to "2023-03"    2023-01-28   2023-03-28
#   full days, as xsd:date                    as given
#   dct:temporal is a text
#   "2021/2023"                               2021-11-28   2023-11-28
#   "2021", "2023-01"                         whole year, whole month
# Why: start and end go through dateutil, which takes what a text leaves out from the current day; only a single text is spared.
# Why it matters here: statistics cover years and quarters, and the standard has types for these. The portal shows other periods
# than were published, and other ones after each nightly harvest, so searches by time miss or find by chance. Only periods that are
# published as their first and last day arrive as they are. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q udata==17.18.0 rdflib==7.6.0
cat > period.py <<'PY'
import sys
from datetime import date

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS
from udata.core.dataset.rdf import temporal_from_rdf

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> ."""


def period(start, end, kind):
    given = f'dcat:startDate "{start}"^^xsd:{kind} ; dcat:endDate "{end}"^^xsd:{kind}'
    text = f"{PREFIXES} <urn:d> a dcat:Dataset ; dct:temporal [ a dct:PeriodOfTime ; {given} ] ."
    dataset = Graph().parse(data=text, format="turtle").resource(URIRef("urn:d"))
    return temporal_from_rdf(dataset.value(DCTERMS.temporal))


def whole():
    read = [temporal_from_rdf(Literal("2021")), temporal_from_rdf(Literal("2023-01")), period("2021-01-01", "2021-12-31", "date")]
    return [(r.start, r.end) for r in read]


def filled():
    made = [period("2021", "2023", "gYear"), period("2021", "2021", "gYear"), period("2023-01", "2023-03", "gYearMonth")]
    return [(r.start, r.end) for r in [*made, temporal_from_rdf(Literal("2021/2023"))]]


today = date.today()
seen, kept = filled(), whole()
if today != date.today():  # midnight passed between the two
    today, seen = date.today(), filled()
print(*seen, *kept, sep="\n")
day = min(today.day, 28) if today.month == 2 else today.day
a, b = date(2021, today.month, day), date(2023, today.month, day)
year, month = (date(2021, 1, 1), date(2021, 12, 31)), (date(2023, 1, 1), date(2023, 1, 31))
months = date(2023, 1, today.day), date(2023, 3, today.day)
sys.exit(seen != [(a, b), (a, a), months, (a, b)] or kept != [year, month, year])
PY
venv/bin/python period.py 2> log || { tail -20 log; exit 1; }
