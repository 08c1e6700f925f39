"""Today is the city's, and a run has one date however long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets import place as place_module
from pipelines.assets.place import Place, place_of
from pipelines.core import clock
from pipelines.core.city import CityError, read_city
from pipelines.core.clock import today
from pipelines.core.settings import Settings
from pipelines.graph import make_definitions

ZHUZHOU = Settings().city


class _Clock(datetime):
    """Six in the evening of New Year's Eve in UTC, when the new year has begun in China."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        assert tz is UTC
        return datetime(2026, 12, 31, 18, 0, tzinfo=UTC)


def _city(tmp_path: Path, line: str) -> Path:
    text = (ZHUZHOU / "city.yaml").read_text(encoding="utf-8")
    (tmp_path / "city.yaml").write_text(text.replace("time_zone: Asia/Shanghai\n", line), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("time_zone: Asia/Shanghai\n", date(2027, 1, 1)),
        ("", date(2027, 1, 1)),  # cities here lie in China unless they say otherwise
        ("time_zone: Europe/Lisbon\n", date(2026, 12, 31)),
    ],
)
def test_today_is_the_date_in_the_citys_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, day: date
) -> None:
    monkeypatch.setattr(clock, "datetime", _Clock)
    assert today(_city(tmp_path, line)) == day


def test_a_zone_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    folder = _city(tmp_path, "time_zone: Asia/Zhuzhou\n")
    with pytest.raises(CityError, match="time_zone 'Asia/Zhuzhou' is no time zone; write one such as Asia/Shanghai"):
        read_city(folder / "city.yaml")
    with pytest.raises(CityError, match="is no time zone"):
        today(folder)


def test_a_run_over_midnight_has_one_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days: Iterator[date] = iter([date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)])
    monkeypatch.setattr(place_module, "today", lambda city: next(days))
    seen = []

    @dg.asset
    def first(place: Place) -> None:
        seen.append(place.date)

    @dg.asset(deps=[first])
    def second(place: Place) -> None:
        seen.append(place.date)

    settings = Settings().model_copy(update={"home": tmp_path / "home", "as_of": ""})
    assert dg.materialize([first, second], resources={"place": place_of(settings)}).success
    assert seen == [date(2026, 12, 31)] * 2


@pytest.mark.parametrize(
    ("line", "named"),
    [("time_zone: Asia/Shanghai\n", "Asia/Shanghai"), ("time_zone: Europe/Lisbon\n", "Europe/Lisbon")],
)
def test_the_nightly_run_is_at_night_in_the_city(tmp_path: Path, line: str, named: str) -> None:
    for table in ZHUZHOU.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    asked = Settings().model_copy(update={"home": tmp_path / "home", "city": _city(tmp_path, line)})
    schedules = list(make_definitions(place_of(asked)).schedules or ())
    assert [s.execution_timezone for s in schedules if isinstance(s, dg.ScheduleDefinition)] == [named]
