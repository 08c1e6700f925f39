"""The API that scripts are written against: /api/v1/…, one release at a time, in JSON."""

from __future__ import annotations

from publish.site.api.model import ROOT, VERSION, Refused, Resource
from publish.site.api.request import answer
from publish.site.api.resources import RESOURCES

__all__ = ["RESOURCES", "ROOT", "VERSION", "Refused", "Resource", "answer"]
