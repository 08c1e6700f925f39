"""Validates a folder against the profile of RO-Crate 1.1: what must be there, and what should be.

The validator fetches the context from its address; the one that comes with rocrate is given to it instead, so that the test needs no net.
"""

import json
import logging
import sys
from importlib.resources import files

import requests
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

CONTEXT = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()


def get(self, url, **_):
    answer = requests.Response()
    answer.status_code = 200 if url.startswith("https://w3id.org/ro/crate/") else 404
    answer.url, answer._content = url, CONTEXT
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


HttpRequester.get = get
logging.disable(logging.CRITICAL)
settings = services.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="ro-crate-1.1", requirement_severity=models.Severity.RECOMMENDED
)
result = services.validate(settings)
checks = len(result.executed_checks)
print(json.dumps({"checks": checks, "issues": [f"{i.severity.name}: {i.message}" for i in result.get_issues()]}))
