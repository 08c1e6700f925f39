"""Which file `mingzhang correct` means by a name or a digest."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from pipelines.core.home import Home
from pipelines.correct import _files
from pipelines.sources.ledger import Ledger, Receipt

FIRST, SECOND, OTHER = "1a" * 32, "1b" * 32, "2c" * 32
NAME, ODD = "交通局/2024年车辆.xlsx", "odd@1a1a1a1a.csv"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two versions of one name, and a file whose name looks like a name with a digest."""
    place = Home(tmp_path).create()
    for day, (file_id, name) in enumerate(((FIRST, NAME), (SECOND, NAME), (OTHER, ODD)), 1):
        Ledger(place).add([Receipt(file_id, name, f"file:///inbox/{name}", "", f"2026-01-0{day}T08:00:00.000000Z")])
    return place


@pytest.mark.parametrize(
    ("wanted", "file_id"),
    [
        (f"{NAME}@1a1a1a1a", FIRST),
        (f"{NAME}@{SECOND}", SECOND),
        ("2024年车辆.xlsx@1b1b1b1b1b1b", SECOND),
        (f"/data/inbox/{NAME}@1a1a1a1a1a", FIRST),
        ("1b1b1b1b", SECOND),
        (ODD, OTHER),
    ],
)
def test_a_version_is_named_by_its_name_and_the_beginning_of_its_digest(home: Home, wanted: str, file_id: str) -> None:
    assert _files(home, wanted)[1] == [file_id]


def test_a_name_of_several_versions_is_refused_with_what_to_write(home: Home) -> None:
    with pytest.raises(typer.BadParameter) as e:
        _files(home, NAME)
    message = e.value.message
    assert f"{NAME}@1a1a1a1a1a1a (received 2026-01-01T08:00)" in message
    assert f"{NAME}@1b1b1b1b1b1b (received 2026-01-02T08:00)" in message
    offered = [part.split(" (")[0] for part in message.split(" as ")[1].split("; ")]
    assert [_files(home, text)[1] for text in offered] == [[FIRST], [SECOND]]


@pytest.mark.parametrize("wanted", [f"{NAME}@2c2c2c2c", f"{NAME}@1a1a", "@1a1a1a1a", "no.xlsx@1a1a1a1a"])
def test_a_version_that_was_not_received_is_refused(home: Home, wanted: str) -> None:
    with pytest.raises(typer.BadParameter, match="No file"):
        _files(home, wanted)
