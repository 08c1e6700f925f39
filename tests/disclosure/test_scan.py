"""What looks like a person's number is found, what merely resembles it is not."""

from __future__ import annotations

import hashlib

import pytest

from publish.disclosure.scan import Scanner, is_bank_card, is_identity_number, is_vin

NOTHING = Scanner({})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("11010519491231002X", "identity number"),
        ("身份证11010519491231002x。", "identity number"),
        ("１１０１０５１９４９１２３１００２Ｘ", "identity number"),
        ("440524188001010014", "identity number"),
        ("13812345678", "mobile number"),
        ("电话：138 1234 5678", "mobile number"),
        ("+86-138-1234-5678", "mobile number"),
        ("湘B12345", "number plate"),
        ("湘B·D12345", "number plate"),
        ("湘 B12345", "number plate"),
        ("车牌湘b12345停放", "number plate"),
        ("粤Z1234港", "number plate"),
        ("1M8GDM9AXKP042788", "vehicle identification number"),
        ("6222020111122220002", "bank card number"),
        ("联系人：张三", "name of a contact"),
        ("联系人: 欧阳修", "name of a contact"),
    ],
)
def test_patterns(text, rule):
    found = NOTHING.text(text)
    assert found == (f"looks like a {rule}" if rule else None)


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # wrong check character
        "110105194913310020",  # no such month
        "11330000002482009K",  # a credit code, public
        "12430200MB1C34567X",
        "2138123456789",  # part of a longer number
        "12345678901",
        "1M8GDM9A1KP042788",  # wrong check character
        "ABCDEFGHJKLMNPRST",
        "湘江B座12345",
        "联系人|电话|地址",
        "8×8 12,345,678,901.00",
        "2025-12-31-13812345",
        *(hashlib.sha256(str(n).encode()).hexdigest() for n in range(300)),
    ],
)
def test_what_only_resembles_them(text):
    assert NOTHING.text(text) is None


def test_check_characters():
    assert is_identity_number("11010519491231002X") and not is_identity_number("110105194912310029")
    assert is_vin("1M8GDM9AXKP042788") and is_vin("11111111111111111") is False
    # The check digit of Luhn's patent example, and none of its neighbours.
    assert [n for n in range(10) if is_bank_card(f"7992739871{n}")] == [3]
    assert [n for n in range(10) if NOTHING.text(f"账号622202011112222000{n}。")] == [2]


def test_secrets_of_the_run_are_found_however_they_are_spaced():
    s = Scanner({"disposals.buyer": {"东篱商贸"}, "vehicles.plate": {"KX-998-Q"}, "offices.phone": {"0731-2866666"}})
    for text in (
        "东篱商贸",
        "受让方为东 篱商 贸。",
        "东篱商贸有限公司",
        "no kx-998-q here",
        "ＫＸ－９９８－Ｑ",
        "打0731-2866666",
    ):
        assert "which is kept inside" in (s.text(text) or ""), text
    for text in ("东篱", "xKX-998-Qx", "10731-28666661"):
        assert s.text(text) is None, text


def test_a_number_of_a_secret_is_found_in_a_numeric_cell():
    s = Scanner({"a.phone": {"07312866666"}})
    assert "a.phone" in s.number(7312866666.0)
    assert s.number(7312866667.0) is None and s.number(12.0) is None
    assert Scanner({"a.b": {"秘密内容"}}).number(7312866666.0) is None


def test_short_values_small_numbers_public_names_and_the_contracts_words_are_no_secrets():
    s = Scanner(
        {"a.b": {"张三", "12345", "1,200.5", "虚构第一中心", "待定中的", "99,999"}},
        public=["虚构第一 中心"],
        words="取值：待定中的或其他",
    )
    assert s.secrets == 0
    assert Scanner({"a.b": {"张三丰年", "123456"}}).secrets == 2


def test_what_is_found_is_never_shown():
    s = Scanner({"a.b": {"绝密的内容"}})
    assert "绝密" not in s.text("有绝密的内容在此")
