"""A release as a bag: the whole of it, checked, and the same bytes each time. Held against BagIt's own tool in tests/consumers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.core.home import Home
from publish.errors import NoSuchRelease, ReleaseError
from publish.release import store
from publish.release.bag import bag


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_bag_has_the_whole_release_and_its_checksums(release, tmp_path):
    home = Home(release.path.parent.parent)
    made = files(bag(home, "current", tmp_path / "bag"))
    assert {n.removeprefix("data/"): b for n, b in made.items() if n.startswith("data/")} == files(release.path)
    for manifest, names in (
        ("manifest-sha256.txt", {n for n in made if n.startswith("data/")}),
        ("tagmanifest-sha256.txt", {"bagit.txt", "bag-info.txt", "manifest-sha256.txt"}),
    ):
        listed = dict(line.split("  ")[::-1] for line in made[manifest].decode().splitlines())
        assert listed == {n: hashlib.sha256(made[n]).hexdigest() for n in names}
    assert f"External-Identifier: {release.release_id}\n" in made["bag-info.txt"].decode()
    assert files(bag(home, release.release_id, tmp_path / "again")) == made


def test_neither_a_damaged_release_nor_over_a_folder(made, tmp_path):
    built = made()
    home = Home(built.path.parent.parent)
    with pytest.raises(NoSuchRelease):
        bag(home, "2001-01-01-00000000", tmp_path / "bag")
    (tmp_path / "there").mkdir()
    with pytest.raises(ReleaseError, match="is there already"):
        bag(home, "current", tmp_path / "there")
    (built.path / store.SUMS).chmod(0o644)
    (built.path / "release.json").chmod(0o644)
    (built.path / "changes.json").unlink()
    with pytest.raises(ReleaseError, match="damaged"):
        bag(home, "current", tmp_path / "bag")
    assert not (tmp_path / "bag").exists() and list(tmp_path.glob(".*.part")) == []
