"""The programs that a release is given to, where each is installed and which version of it.

`make consumers-light` and `make consumers` install them: Python's in environments of their own under .consumers/, from lock files with hashes
(requirements/), Node's from node/package-lock.json, the others from Debian. A test of a program that is not there skips and says so.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".consumers"
GIVEN = HERE / "given"
LIGHT = "light"  # the environment that `make test` installs
OWN = "own"  # the project's own


@dataclass(frozen=True)
class Tool:
    """A program: its name, and the environment it is in. `package`: what it is called there."""

    name: str
    place: str
    package: str
    faults: tuple[str, ...] = ()

    @property
    def interpreter(self) -> list[str]:
        if self.place == OWN:
            return [sys.executable]
        if self.place == "r":
            return ["Rscript", "--vanilla"]
        if self.place == "node":
            return ["node"]
        if self.place == "system":
            return []
        return [str(PLACE / self.place / "bin" / "python")]

    def version(self) -> str | None:
        """The version that is installed here; None where it is not."""
        if self.place == "system":
            return self._ask([self.package, "--version"]) if shutil.which(self.package) else None
        if self.place == "r":
            expression = f"cat(as.character(packageVersion('{self.package}')))"
            return self._ask(["Rscript", "--vanilla", "-e", expression]) if shutil.which("Rscript") else None
        if self.place == "node":
            at = PLACE / "node" / "node_modules" / self.package / "package.json"
            return (
                json.loads(at.read_text(encoding="utf-8"))["version"] if shutil.which("node") and at.is_file() else None
            )
        if self.place == OWN:
            return platform.python_version() if self.package == "python" else metadata.version(self.package)
        python = PLACE / self.place / "bin" / "python"
        if not python.exists():
            return None
        return self._ask([str(python), "-c", f"import importlib.metadata as m; print(m.version({self.package!r}))"])

    @staticmethod
    def _ask(command: Sequence[str]) -> str | None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said = (done.stdout or done.stderr).strip().splitlines()
        return said[0].strip() if done.returncode == 0 and said else None

    def run(self, script: str, *arguments: str | Path, cwd: Path, seconds: float = 300) -> Any:
        """What a script of given/ prints last, as JSON. Raises AssertionError with what it said where it fails."""
        path = GIVEN / script
        if self.place == "node":  # an ES module finds packages beside itself alone
            path = PLACE / "node" / script
            shutil.copyfile(GIVEN / script, path)
        done = subprocess.run(
            [*self.interpreter, str(path), *map(str, arguments)],
            cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.name}: {done.stdout[-1000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout.strip().splitlines()[-1])


# By the order of docs/consumers.md. The faults are those of docs/faults.md that the program showed.
TOOLS = {
    t.name: t
    for t in (
        # catalogues
        Tool("CKAN with ckanext-dcat", "ckan", "ckanext-dcat", ("A1", "A1-days", "A13")),
        Tool("udata", "udata", "udata", ("A1", "A1-days")),
        Tool("jsonld.js", "node", "jsonld", ("A1",)),
        Tool("urllib.robotparser", OWN, "python", ("A2",)),
        Tool("mlcroissant", LIGHT, "mlcroissant"),
        # tables
        Tool("pandas", OWN, "pandas", ("A3", "A12")),
        Tool("DuckDB", OWN, "duckdb", ("A3", "A12")),
        Tool("polars", LIGHT, "polars", ("A6", "A7")),
        Tool("frictionless", OWN, "frictionless", ("A5",)),
        Tool("datapackage (JavaScript)", "node", "datapackage", ("A5",)),
        Tool("frictionless.js", "node", "frictionless.js", ("A5",)),
        Tool("csvw", OWN, "csvw", ("A11",)),
        Tool("readr", "r", "readr", ("A7", "A12")),
        Tool("data.table", "r", "data.table", ("A12",)),
        Tool("R's read.csv", "r", "base", ("A14",)),
        # workbooks
        Tool("openxlsx", "r", "openxlsx", ("A4",)),
        Tool("readxl", "r", "readxl", ("A4", "A12")),
        Tool("SheetJS", "node", "xlsx", ("A4",)),
        Tool("ExcelJS", "node", "exceljs", ("A4",)),
        Tool("Gnumeric", "system", "ssconvert", ("A4",)),
        Tool("LibreOffice", "system", "soffice", ("A4",)),
        # contracts
        Tool("datacontract-cli", "contracts", "datacontract-cli", ("A9",)),
        # the API
        Tool("openapi-python-client", LIGHT, "openapi-python-client", ("A10",)),
        Tool("openapi-generator", "openapi", "openapi-generator-cli", ("A10",)),
        Tool("openapi-typescript", "node", "openapi-typescript", ("A10",)),
        Tool("Redocly", "node", "@redocly/cli", ("A10",)),
        Tool("Spectral", "node", "@stoplight/spectral-cli", ("A10",)),
        Tool("curl", "system", "curl", ("A6", "A6-coding", "A14")),
        # statistics and archives
        Tool("pysdmx", LIGHT, "pysdmx", ("A8",)),
        Tool("rocrate", LIGHT, "rocrate"),
        Tool("roc-validator", LIGHT, "roc-validator"),
        Tool("bagit", LIGHT, "bagit"),
    )
}
