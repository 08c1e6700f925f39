"""Each name and address can be written down, and ordinary ones stay as they are."""

from __future__ import annotations

import json

import pytest

from pipelines.core.filenames import printable, printable_url


@pytest.mark.parametrize(
    "name,shown",
    [
        ("2023/能耗 (2).xlsx", "2023/能耗 (2).xlsx"),
        (b"2023\xc4\xea.xlsx".decode("utf-8", "surrogateescape"), "2023年.xlsx"),
        (b"x\xff\xfe.csv".decode("utf-8", "surrogateescape"), "x\\xff\\xfe.csv"),
        ("a\u2028b\u2029c\x85d.csv", "a\\u2028b\\u2029c\\x85d.csv"),
        ("a\nb\tc.csv", "a\\nb\\tc.csv"),
        ("a\u202excod.csv", "a\\u202excod.csv"),
        ("half\ud800.csv", "half\\xed\\xa0\\x80.csv"),
    ],
)
def test_a_name_that_cannot_be_written_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown
    json.dumps(printable(name), ensure_ascii=False).encode()


def test_addresses_of_two_names_stay_two() -> None:
    one, other = (
        b"sftp://h/\xc4\xea/\xe4\xb8\xad".decode("utf-8", "surrogateescape") + x for x in ("\udcff", "\udcfe")
    )
    assert printable_url(one) == "sftp://h/%C4%EA/中%FF" != printable_url(other)
    assert printable_url("s3://b/中 文.xlsx") == "s3://b/中 文.xlsx"
