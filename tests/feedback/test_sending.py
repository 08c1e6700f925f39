"""Which files are sent back, under which name, and that nothing is done twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.feedback import sending
from pipelines.feedback.annotate import FIRST_SHEET
from pipelines.feedback.sending import MANIFEST, NOBODY, FeedbackSent, feedback_name, safe_name, write_feedback
from pipelines.records.tables import INTAKE, write
from pipelines.sources.archive import store

DATA = "名称,车位\n东门,很多\n".encode()


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts(only=["parking_lots"])


class City:
    """A home whose intake tables a test writes by hand."""

    def __init__(self, root: Path):
        self.home = Home(root).create()
        self.rows: dict[str, list[dict[str, Any]]] = {t: [] for t in ("files", "sheets", "columns", "issues")}

    def file(self, name: str, submitter: str | None, issues: int = 1, data: bytes = DATA, **over: Any) -> str:
        data = data + name.encode()
        file_id = hashlib.sha256(data).hexdigest()
        if over.pop("kept", True):
            store(self.home, data)
        self.rows["files"].append({"file_id": file_id, "name": name, "status": "partial"} | over)
        self.rows["sheets"].append({"file_id": file_id, "sheet": "", "dataset": "parking_lots", "submitter": submitter})
        self.rows["columns"].append({"file_id": file_id, "sheet": "", "column": "spaces", "header": "车 位"})
        for n in range(issues):
            self.issue(file_id, row=2 + n)
        return file_id

    def issue(self, file_id: str, row: int, **over: Any) -> None:
        known = {
            "issue_id": f"{file_id[:6]}{len(self.rows['issues'])}", "file_id": file_id, "sheet": "", "row": row,
            "column": "spaces", "cell": f"B{row}", "code": "bad_type", "severity": "error",
            "responsibility": "department", "raw_value": "很多", "message_zh": f"第 {row} 行不对。", "message_en": "no",
            "status": "open",
        }  # fmt: skip
        self.rows["issues"].append(known | over)

    def save(self) -> City:
        for table, rows in self.rows.items():
            frame = pd.DataFrame(rows, columns=list(INTAKE[table]))
            for name, kind in INTAKE[table].items():
                if str(kind).startswith("timestamp"):
                    frame[name] = pd.to_datetime(frame[name])
            write(self.home.table("intake", table), frame, INTAKE[table])
        return self

    def sent(self) -> set[str]:
        return {str(p.relative_to(self.home.feedback)) for p in self.home.feedback.rglob("*.xlsx")}


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path / "home")


def test_each_department_gets_its_own_file_back(city: City, contracts: Contracts) -> None:
    city.file("一季度/停车.csv", "甲局")
    city.file("停车.xlsx", None)
    city.file("好的.csv", "甲局", issues=0)
    quiet = city.file("只有我们的事.csv", "甲局", issues=0)
    city.issue(quiet, 2, responsibility="bureau")
    city.issue(quiet, 3, status="closed")
    sent = write_feedback(city.save().home, contracts, 1)
    assert sent == FeedbackSent(2, 0, 0, 0)
    assert len(sent.paths) == 2 and all((city.home.feedback / p).is_file() for p in sent.paths)
    assert city.sent() == {"甲局/停车.csv.xlsx", f"{NOBODY}/停车.xlsx"}
    book = openpyxl.load_workbook(city.home.feedback / "甲局" / "停车.csv.xlsx")
    assert book["原表"]["B2"].comment.text == "【明账平台】第 2 行不对。"
    assert book[FIRST_SHEET]["D7"].value == "车位"


def test_only_what_changed_is_made_again_and_the_settled_taken_away(city: City, contracts: Contracts) -> None:
    changed, settled, old = (city.file(f"{n}.csv", "甲局") for n in ("变", "好", "旧"))
    city.file("不变.csv", "乙局")
    write_feedback(city.save().home, contracts, 1)
    assert len(city.sent()) == 4
    stamps = {p: (city.home.feedback / p).stat().st_mtime_ns for p in city.sent()}
    assert write_feedback(city.home, contracts, 1) == FeedbackSent(0, 4, 0, 0)
    assert stamps == {p: (city.home.feedback / p).stat().st_mtime_ns for p in city.sent()}

    city.issue(changed, 9)
    city.rows["issues"] = [i for i in city.rows["issues"] if i["file_id"] != settled]
    next(f for f in city.rows["files"] if f["file_id"] == old)["status"] = "superseded"
    assert write_feedback(city.save().home, contracts, 1) == FeedbackSent(1, 1, 2, 0)
    assert city.sent() == {"甲局/变.csv.xlsx", "乙局/不变.csv.xlsx"}
    assert (city.home.feedback / "乙局/不变.csv.xlsx").stat().st_mtime_ns == stamps["乙局/不变.csv.xlsx"]

    (city.home.feedback / "甲局/变.csv.xlsx").unlink()
    assert write_feedback(city.home, contracts, 1).written == 1


def test_a_department_without_any_file_left_has_no_folder(city: City, contracts: Contracts) -> None:
    city.file("甲.csv", "甲局")
    write_feedback(city.save().home, contracts, 1)
    city.rows["issues"] = []
    write_feedback(city.save().home, contracts, 1)
    assert [p.name for p in city.home.feedback.iterdir()] == [MANIFEST]


def test_files_that_are_not_ours_stay(city: City, contracts: Contracts) -> None:
    city.file("甲.csv", "甲局")
    write_feedback(city.save().home, contracts, 1)
    own = city.home.feedback / "甲局" / "会议记录.xlsx"
    own.write_bytes(b"x")
    city.rows["issues"] = []
    write_feedback(city.save().home, contracts, 1)
    assert own.exists() and city.sent() == {"甲局/会议记录.xlsx"}


def test_a_run_killed_half_way_leaves_no_file_that_nobody_knows_of(
    city: City, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipelines.feedback.sending as module

    city.file("甲.csv", "甲局")
    city.save()

    def killed(home: Home, make: list[Any], *_: Any) -> int:
        path = home.feedback / make[0].path
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_make", killed)
    with pytest.raises(KeyboardInterrupt):
        write_feedback(city.home, contracts, 1)
    monkeypatch.undo()
    city.rows["issues"] = []
    assert write_feedback(city.save().home, contracts, 1).removed == 1
    assert city.sent() == set()


def test_two_files_of_one_name_do_not_overwrite_each_other(city: City, contracts: Contracts) -> None:
    a, b = city.file("一/停车.csv", "甲局"), city.file("二/停车.CSV", "甲局")
    write_feedback(city.save().home, contracts, 1)
    assert city.sent() == {f"甲局/停车.csv.{a[:8]}.xlsx", f"甲局/停车.CSV.{b[:8]}.xlsx"}


def test_a_file_that_is_not_in_the_archive_any_more_is_listed(city: City, contracts: Contracts) -> None:
    city.file("甲.csv", "甲局", kept=False)
    write_feedback(city.save().home, contracts, 1)
    assert openpyxl.load_workbook(city.home.feedback / "甲局/甲.csv.xlsx").sheetnames == [FIRST_SHEET]


def test_a_broken_manifest_makes_all_anew(city: City, contracts: Contracts) -> None:
    city.file("甲.csv", "甲局")
    write_feedback(city.save().home, contracts, 1)
    manifest = city.home.feedback / MANIFEST
    assert list(json.loads(manifest.read_text(encoding="utf-8"))) == ["甲局/甲.csv.xlsx"]
    manifest.write_text("{", encoding="utf-8")
    assert write_feedback(city.home, contracts, 1) == FeedbackSent(1, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("市教育局", "市教育局"), ("../../etc", None), ("..", None), ("", None), ("a/b", None), ("a\\b", None), (".hidden", None),
        ("_drift", None), ("甲\u202e局", None), ("甲\x00局", None), ("CON", None), ("nul.x", None), ("局" * 300, None), ("甲局. ", None),
    ],
)  # fmt: skip
def test_a_submitter_is_one_safe_part_of_a_path(text: str, safe: str | None) -> None:
    made = safe_name(text)
    assert made == safe if safe else made != text


@given(st.text())
def test_any_name_is_one_safe_part_of_a_path(text: str) -> None:
    made = safe_name(text)
    assert 0 < len(made.encode()) <= 200 and not set(made) & set('/\\:*?"<>|\x00\n') and made[0] not in "._ "
    assert Path("/feedback", made).resolve().parent == Path("/feedback")
    assert Path(feedback_name(text)).name == feedback_name(text) and feedback_name(text).endswith(".xlsx")


@given(st.lists(st.text("甲乙/.. _\\", min_size=1), min_size=2, max_size=2, unique_by=str.strip))
def test_two_departments_never_share_a_folder(names: list[str]) -> None:
    assert safe_name(names[0]) != safe_name(names[1])


def test_an_original_is_read_where_it_is_marked_and_not_before(
    city: City, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 500 files of 50 MB would be 25 GB."""
    city.file("停车.csv", "甲局")
    given: list[Any] = []
    plain = sending.run_each
    monkeypatch.setattr(sending, "run_each", lambda f, jobs, *rest: plain(f, given.extend(jobs) or jobs, *rest))
    write_feedback(city.save().home, contracts)
    assert [type(original) for original, _, _ in given] == [type(city.home.root)]
    assert city.sent() == {"甲局/停车.csv.xlsx"}
