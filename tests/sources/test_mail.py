"""A mailbox whose mails are submissions: attachments are taken, once, of senders who are known."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.sources import inbox as inbox_module
from pipelines.sources import mail
from pipelines.sources.inbox import InboxError, SourceDown, list_inbox
from pipelines.sources.ledger import Ledger
from pipelines.sources.receive import nothing_new, receive
from pipelines.sources.source import Source, SourceError
from tests.sources import servers
from tests.sources.servers import PASSWORD, Server, put_mail
from tests.sources.test_archive_and_unpack import zipped


def letter(sender: str, subject: str, **attached: bytes) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "inbox@example.org", subject
    made.set_content("请查收附件。")
    for name, data in attached.items():
        made.add_attachment(
            data, maintype="application", subtype="octet-stream", filename=name.replace("_", " ") + ".csv"
        )
    return made


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.imap(tmp_path_factory.mktemp("imap")) as server:
        put_mail(server, letter("财务科 <A@Finance.example>", "2024年会议/补报", 会议_2024=b"a,b\n1,2\n"))
        put_mail(server, letter("b@schools.example", "谢谢"))
        put_mail(server, letter("c@schools.example", "能耗", 能耗=b"x,y\n3,4\n", 用水=b"x,z\n5,6\n"))
        put_mail(server, letter("d@strangers.example", "能耗", 能耗=b"not ours\n"))
        yield server


@pytest.fixture
def source(mailbox: Server, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("MAIL_OF_REPORTS", PASSWORD)
    monkeypatch.setattr(inbox_module, "BACK_OFF", ())
    senders = {"a@finance.example": "市财政局", "@schools.example": "市教育局"}
    return Source(address=mailbox.url, name="mail", password_env="MAIL_OF_REPORTS", senders=senders)


@pytest.mark.slow
@pytest.mark.xdist_group("imap")
def test_attachments_are_received_once_under_the_sender_s_unit(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path).create()
    found = receive(home, [source])
    names = sorted(r.name for r in Ledger(home).latest.values())
    attached = [n for n in names if n.endswith(".csv")]
    assert [n.split("/")[0] for n in attached] == ["市教育局", "市教育局", "市财政局"]
    assert [n.rsplit("/", 1)[1] for n in attached] == ["用水.csv", "能耗.csv", "会议 2024.csv"]
    assert attached[2].split("/")[1].endswith("2024年会议／补报.eml")
    assert (found.seen, found.new) == (2, 2 + 3)  # two mails and what is attached to them
    assert len(found.refused) == 1 and "d@strangers.example" in found.refused[0]
    kept = {p.read_bytes() for p in (tmp_path / "archive").rglob("*") if p.is_file()}
    assert b"a,b\n1,2\n" in kept and b"not ours\n" not in kept
    assert not any(PASSWORD.encode() in k for k in kept)
    assert "imap://127.0.0.1" in Ledger(home).path.read_text(encoding="utf-8")

    def fetched(self: object, path: str) -> bytes:
        raise AssertionError("a mail that was received is fetched again")

    monkeypatch.setattr(mail.ImapMailbox, "cat_file", fetched)
    assert receive(home, [source]).new == 0
    looked = nothing_new(home, [source])
    assert looked is not None and looked.refused == found.refused


@pytest.mark.slow
@pytest.mark.xdist_group("imap")
def test_a_mailbox_that_lets_nobody_in_is_no_empty_one(
    source: Source, mailbox: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InboxError, match="There is no inbox at"):
        list_inbox(source.model_copy(update={"address": f"{mailbox.url}x"}))
    monkeypatch.setenv("MAIL_OF_REPORTS", "another")
    with pytest.raises(SourceDown, match="cannot be reached") as e:
        list_inbox(source)
    assert "another" not in str(e.value)
    monkeypatch.delenv("MAIL_OF_REPORTS")
    with pytest.raises(SourceError, match="MAIL_OF_REPORTS, which is not set"):
        list_inbox(source)


def test_what_is_attached_to_a_mail_is_taken_out_of_it(tmp_path: Path) -> None:
    made = letter("a@b.example", "x", plain=b"1")
    made.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png", disposition="inline")
    made.add_attachment(zipped({"../in/z.csv": b"2"}), maintype="application", subtype="zip", filename="all.zip")
    made.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "received.eml").write_bytes(bytes(made))
    home = Home(tmp_path / "home").create()
    receive(home, [str(folder)])
    names = {r.name for r in Ledger(home).latest.values()}
    assert names == {"received.eml", "received.eml/plain.csv", "received.eml/all.zip/in/z.csv"}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("INBOX", '"INBOX"'),
        ("报送", '"&YqWQAQ-"'),
        ("A&B", '"A&-B"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("表/2024", '"&iGg-/2024"'),
    ],
)
def test_a_mailbox_s_name_is_written_as_imap_writes_it(name: str, written: str) -> None:
    assert mail._quoted(name) == written


def test_a_mailbox_s_name_ends_no_command() -> None:
    with pytest.raises(FileNotFoundError):
        mail._quoted("a\r\nb")
