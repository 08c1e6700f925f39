"""The compose file: held against the schema of compose files, its commands started. No container is started."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
OURS = {n: s for n, s in COMPOSE["services"].items() if s["image"] == "mingzhang"}


def schema() -> Any:
    text = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_it_is_a_compose_file() -> None:
    jsonschema.validate(COMPOSE, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(COMPOSE | {"services": {"site": {"comand": "x"}}}, schema())  # so the schema asks


def test_each_service_waits_for_services_that_are_there() -> None:
    assert {"postgres", "code", "daemon", "page", "worker", "site"} <= COMPOSE["services"].keys()
    for service in COMPOSE["services"].values():
        assert service.get("depends_on", {}).keys() <= COMPOSE["services"].keys()
    workspace = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))
    server = workspace["load_from"][0]["grpc_server"]
    command = OURS[server["host"]]["command"]
    assert str(server["port"]) == command[command.index("-p") + 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, s in OURS.items() if s["command"][0] != "python"])
def test_each_command_starts_and_knows_its_options(name: str) -> None:
    program, *options = OURS[name]["command"]
    words = [] if program == "dagster-webserver" else options[:1]
    words = options[:2] if program == "dagster" else words
    shown = subprocess.run(
        [Path(sys.executable).with_name(program), *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"COLUMNS": "200"},
    ).stdout
    asked = [o for o in options if o.startswith("-")]
    asked += ["--home"] if name == "worker" else []
    assert all(re.search(rf"(^|[\s,]){re.escape(o)}\b", shown) for o in asked), shown
    assert all((ROOT / o).exists() for o in options if o.startswith("deploy/"))


def test_no_secret_is_in_it_and_what_it_asks_for_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    example = (ROOT / "deploy" / "compose.env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert asked == given.keys() and given["POSTGRES_PASSWORD"] == ""
    assert not re.search(r"PASSWORD: (?!\$\{)", TEXT)


def test_only_this_machine_reaches_a_port_and_the_site_sees_no_file_of_departments() -> None:
    for service in COMPOSE["services"].values():
        assert all(p.startswith("127.0.0.1:") for p in service.get("ports", []))
    site, worker = OURS["site"], OURS["worker"]
    assert site["volumes"] == ["${HOME_DIR:?}:/srv/mingzhang:ro"]
    assert {"/srv/mingzhang/archive", "/srv/mingzhang/work"} <= set(site["tmpfs"])
    assert (
        worker["network_mode"] == "none" and "DAGSTER_POSTGRES_URL" not in site["environment"] | worker["environment"]
    )


def test_the_image_installs_the_locked_dependencies_of_what_compose_runs() -> None:
    said = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    for name in re.findall(r"requirements[\w-]*\.txt", said):
        assert (ROOT / name).is_file()
    assert "requirements-postgres.txt" in said and "--require-hashes" in said
