"""dbt's documentation of the models is one page, made without touching the warehouse, and `make dev` shows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.statistics.city import load_city
from pipelines.statistics.dbt_docs import folder, main
from pipelines.statistics.run import build_statistics
from tests.statistics.statistics_home import write

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("statistics")]
ROOT = Path(__file__).resolve().parents[2]


def test_the_page_describes_each_mart_with_the_types_of_the_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert main(["--home", str(home.root)]) == 0
    before = (folder(home) / "index.html").read_text(encoding="utf-8")
    assert (
        "One row per indicator, year, dimension, member and factor set." in before
        and '"type": "DECIMAL(28,6)"' not in before
    )

    write(home, {})
    load_city(ROOT / "cities" / "zhuzhou", home)
    build_statistics(home, date(2025, 12, 31))
    warehouse = home.warehouse.read_bytes()
    assert main(["--home", str(home.root)]) == 0
    page = (folder(home) / "index.html").read_text(encoding="utf-8")
    assert '"type": "DECIMAL(28,6)"' in page
    assert home.warehouse.read_bytes() == warehouse
    assert sorted(p.name for p in folder(home).parent.iterdir()) == ["docs", "target"]


def test_make_dev_serves_the_page() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    dev = text[text.index("\ndev: ") :].partition("\n\n")[0]
    assert "pipelines.statistics.dbt_docs --home $(HOME_DIR)" in dev
    assert f"--directory $(HOME_DIR)/{folder(Home(Path())).relative_to(Path())} $(DOCS_PORT)" in dev
