"""Has udata's harvester make datasets of the text of a catalogue, which knows no address of it, and validates each as udata stores it."""

import json
import logging
import sys
import urllib.request

import mongomock
from mongoengine import ValidationError, connect, disconnect

logging.disable(logging.CRITICAL)
from rdflib import DCAT, RDF, Graph  # noqa: E402
from udata.app import create_app, standalone  # noqa: E402
from udata.core.dataset.rdf import dataset_from_rdf  # noqa: E402
from udata.settings import Defaults  # noqa: E402

text = urllib.request.urlopen(sys.argv[1]).read().decode("utf-8")
graph = Graph().parse(data=text, format="json-ld")


class Settings(Defaults):
    """Those of a fresh installation, which must choose these secrets; the site of the test is of this machine."""

    URLS_ALLOW_LOCAL = True


for name in ("SECRET_KEY", "SECURITY_PASSWORD_SALT", "API_TOKEN_SECRET"):
    setattr(Settings, name, "of this test alone")
taken, refused, urls, periods, tags, landing = 0, [], [], [], 0, 0
app = standalone(create_app(Settings))
disconnect()
connect("udata", mongo_client_class=mongomock.MongoClient, uuidRepresentation="standard")
with app.app_context():
    for node in sorted(graph.subjects(RDF.type, DCAT.Dataset)):
        dataset = dataset_from_rdf(graph, node=node)
        try:
            dataset.slug = dataset.slug or "x"
            dataset.validate()
            taken += 1
        except ValidationError as e:
            refused.append(f"{node}: {e}"[:300])
        urls += [r.url for r in dataset.resources]
        tags += bool(dataset.tags)
        landing += bool((dataset.harvest and dataset.harvest.remote_url) or dataset.extras.get("remote_url"))
        if dataset.temporal_coverage:
            periods.append([str(dataset.temporal_coverage.start), str(dataset.temporal_coverage.end)])
print(
    json.dumps({"taken": taken, "refused": refused, "urls": urls, "periods": periods, "tags": tags, "landing": landing})
)
