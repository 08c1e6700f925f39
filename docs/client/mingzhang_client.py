"""A client for the API of a Mingzhang site: one file, no dependencies, Python 3.9 or newer. Copy it.

    site = Mingzhang("https://data.example.gov.cn")
    for value in site.values("energy_tce", dimension="total"):
        print(value["year"], value["value"])

    then = site.at("2025-12-31-0a1b2c3d")       # the same figures for ever
    rows = then.sql(
        "select year, value from indicator_values where indicator_id = :i and dimension = 'total' and factor_set = 'default'",
        i="energy_tce",
    )

Errors are raised as `Refused`: `code` stays the same from release to release, the message says what to do.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    def __init__(self, said):
        super().__init__(said.get("error", ""))
        self.code, self.status, self.chinese = said.get("code"), said.get("status"), said.get("error_zh")


class Mingzhang:
    def __init__(self, address, tries=4):
        self.address, self.tries = address.rstrip("/"), tries

    def at(self, release_id):
        """The same site as it was at a release."""
        return Mingzhang(self.address.partition("/r/")[0] + "/r/" + release_id, self.tries)

    def get(self, path, **arguments):
        """The JSON at a path; waits as long as it is told to where it asked too often."""
        given = urllib.parse.urlencode({k: v for k, v in arguments.items() if v is not None})
        url = path if path.startswith("http") else self.address + path
        url += ("&" if "?" in url else "?") + given if given else ""
        for left in reversed(range(self.tries)):
            try:
                request = urllib.request.Request(url, headers={"Accept": "application/json"})
                with urllib.request.urlopen(request, timeout=30) as answer:
                    self.truncated = answer.headers.get("X-Truncated") == "true"
                    return json.load(answer)
            except urllib.error.HTTPError as e:
                if e.code in (429, 503) and left:
                    time.sleep(min(60, int(e.headers.get("Retry-After") or 2)))
                    continue
                raise Refused(json.load(e)) from None

    def pages(self, path, key, **arguments):
        """The rows under `key` of every page, one after the other."""
        root = self.address.partition("/r/")[0]
        while path:
            said = self.get(path, **arguments)
            yield from said[key]
            path, arguments = said["next"] and root + said["next"], {}

    def indicators(self, **filters):
        return self.pages("/api/v1/indicators", "indicators", **filters)

    def values(self, indicator_id, **filters):
        """Its values, with the factors in force; `factor_set` gives another series, "all" every one."""
        return self.pages(f"/api/v1/indicators/{indicator_id}", "values", **filters)

    def claims(self, **filters):
        return self.pages("/api/v1/claims", "claims", **filters)

    def datasets(self, **filters):
        return self.pages("/api/v1/datasets", "datasets", **filters)

    def provenance(self, indicator_id, year, dimension="total", member="all", **filters):
        where = "/".join(urllib.parse.quote(str(x), safe="") for x in (indicator_id, year, dimension, member))
        return self.pages(f"/api/v1/provenance/{where}", "files", **filters)

    def releases(self):
        return self.pages("/api/v1/releases", "releases")

    def sql(self, query, **values):
        """The rows of a SELECT, at most 1,000; `self.truncated` says whether there were more. :names in it are bound."""
        return self.get("/mingzhang.json", sql=query, _shape="array", **values)
