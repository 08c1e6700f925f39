"""Every contract's table, laid out in many ways, reads back: each value where it belongs, and nothing said against it."""

from __future__ import annotations

from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import FileReading
from tests.intake.relay import lay

CONTRACTS = load_contracts()
READER = FileReader(CONTRACTS)
LAYOUTS = 40  # of each contract


def rows_of(r: FileReading, dataset: str) -> list[dict[str, Any]]:
    """The rows of a file, each with the values that are there."""
    out = []
    for s in r.sheets:
        if s.dataset == dataset:
            out += [{c: v[i] for c, v in s.values.items() if v[i] is not None} for i in range(len(s.rows))]
    return out


@pytest.mark.parametrize("dataset", CONTRACTS)
def test_every_layout_of_a_table_gives_its_rows(dataset: str) -> None:
    for seed in range(LAYOUTS):
        laid = lay(CONTRACTS[dataset], seed)
        got = READER.read(laid.data, "报送表.xlsx")
        where = (dataset, seed, laid.ways)
        said = [(i.code, i.cell, i.message_en) for s in got.sheets for i in s.issues] + [i.code for i in got.issues]
        assert said == [], where
        have = rows_of(got, dataset)
        assert len(have) == len(laid.want), where
        for n, (w, h) in enumerate(zip(laid.want, have, strict=True)):
            for name, v in w.items():
                assert h.get(name) == v, (*where, n, name)
        assert all(s.rows_read == len(s.rows) + s.refused + s.rows_explained for s in got.sheets), where
