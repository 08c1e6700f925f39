"""Reports of readers: what the form takes, keeps and refuses, on every way in; the files, the command, the limits."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.core.home import Home
from publish.site import mailbox, report_form
from publish.site.app import Site
from publish.site.mailbox import Mailbox, NoSuchReport
from publish.site.pool import Pool
from publish.site.report_fields import parse, personal, refusal_of
from publish.site.settings import SiteSettings
from tests.site.conftest import FIRST, build_release, point_current

Post = Callable[..., httpx.Response]


class Served:
    """A site in this process, asked by clients at addresses of their own."""

    def __init__(self, home: Path, **settings: Any):
        self.home = home
        self.loop = asyncio.new_event_loop()
        self.site = Site(home, Pool(1), SiteSettings(**settings))
        self.loop.run_until_complete(self.site.start())

    def ask(self, method: str, path: str, client: str = "203.0.113.1", **more: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.site, client=(client, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as c:
                return await c.request(method, path, **more)

        return self.loop.run_until_complete(run())

    def close(self) -> None:
        self.loop.run_until_complete(self.site.close())
        self.loop.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reports")
    build_release(home, FIRST)
    point_current(home, FIRST)
    return home


@pytest.fixture(scope="module")
def started(home: Path) -> Iterator[Served]:
    served = Served(home)
    yield served
    served.close()


@pytest.fixture
def site(started: Served, home: Path) -> Served:
    """The site with an empty mailbox and nobody counted."""
    for old in (home / "reports").glob("*.json"):
        old.unlink()
    started.site.form = report_form.ReportForm(Mailbox(Home(home).reports))
    return started


def waiting(home: Path) -> list[mailbox.ReaderReport]:
    return Mailbox(Home(home).reports).waiting()


SAID = {"about": f"/r/{FIRST}/indicators/energy_tce", "says": "2024 年应当更高\n见年报", "right": "6,000"}


def test_a_report_becomes_a_file_and_its_reader_a_number(site: Served, home: Path) -> None:
    page = site.ask("GET", f"/report?about={SAID['about']}")
    assert 'method="post" action="/report"' in page.text and f'value="{SAID["about"]}"' in page.text
    answer = site.ask("POST", "/report", data=SAID)
    [made] = waiting(home)
    assert answer.status_code == 303 and answer.headers["location"] == f"/report?sent={made.report_id}"
    assert (made.page, made.says, made.right, made.release_id) == (SAID["about"], SAID["says"], "6,000", FIRST)
    assert made.report_id in site.ask("GET", answer.headers["location"]).text
    kept = (home / "reports" / f"{made.report_id}.json").read_text(encoding="utf-8")
    assert "203.0.113" not in kept and "httpx" not in kept  # nothing of who sent it
    assert (home / "reports").stat().st_mode & 0o007 == 0


def test_the_form_speaks_the_language_of_its_page_and_old_releases_send_to_it(site: Served) -> None:
    assert 'action="/en/report"' in site.ask("GET", "/en/report").text
    assert 'action="/report"' in site.ask("GET", f"/r/{FIRST}/report").text
    answer = site.ask("POST", "/en/report", data={"says": " "})
    assert answer.status_code == 400 and "Write what is wrong" in answer.text
    assert site.ask("POST", "/en/report", data=SAID).headers["location"].startswith("/en/report?sent=")


@pytest.mark.parametrize(
    ("says", "what"),
    [
        ("请打 139 0000 0000 找我", "手机号码"),
        ("请打１３９００００００００", "手机号码"),
        ("11010519491231002X 这个人", "身份证号"),
        ("联系人：张三", "联系人姓名"),
        ("写信给 someone@example.org", "电子邮箱"),
        ("湘B·A1234 的里程不对", "车牌号"),
    ],
)
def test_numbers_of_persons_are_refused_and_not_kept(site: Served, home: Path, says: str, what: str) -> None:
    answer = site.ask("POST", "/report", data={"says": says})
    assert answer.status_code == 400 and what in answer.text and says in answer.text
    assert waiting(home) == [] and not list((home / "reports").glob(".*.part"))


def test_what_is_written_is_shown_as_text(site: Served) -> None:
    answer = site.ask("POST", "/report", data={"about": '"><i>', "says": "</textarea><script>x</script> 13900000000"})
    assert "<script>x" not in answer.text and "&lt;script&gt;x" in answer.text and '"><i>' not in answer.text
    assert "<b>" not in site.ask("GET", "/report?sent=<b>&about=<b>").text


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"origin": "http://elsewhere.example"}, "says=x", 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, "says=x", 403),
        ({"origin": "http://test", "sec-fetch-site": "same-site"}, "says=x", 403),
        ({"sec-fetch-site": "cross-site"}, "says=x", 403),
        ({"content-type": "application/json"}, '{"says": "x"}', 415),
        ({"content-type": "multipart/form-data; boundary=b"}, "--b--", 415),
        ({}, "says=%FF%FE", 400),
        ({}, "says=" + "x" * (report_form.BODY_BYTES + 1), 413),
        ({}, "says=" + "x" * 2001, 400),
        ({}, "&".join(f"a{n}=1" for n in range(200)), 400),
        ({}, "", 400),
    ],
)
def test_what_is_no_report_is_refused(
    site: Served, home: Path, headers: dict[str, str], body: str, status: int
) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = site.ask("POST", "/report", headers=form | headers, content=body)
    assert answer.status_code == status and "no-store" in answer.headers["cache-control"]
    assert waiting(home) == []


def test_the_sites_own_page_may_send_it(site: Served, home: Path) -> None:
    """Under `Referrer-Policy: no-referrer` browsers send `Origin: null` from a page's own form; tests/browser has a real one do it."""
    for own in (
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "http://test:8443"},
        {"origin": "null"},
    ):
        assert site.ask("POST", "/report", headers=own, data={"says": "x"}).status_code == 303
    assert len(waiting(home)) == 3


@pytest.mark.parametrize("path", ["/", "/indicators/energy_tce", f"/r/{FIRST}/report", "/report/x", "/mingzhang"])
def test_nothing_else_takes_a_post(site: Served, path: str) -> None:
    assert site.ask("POST", path, data=SAID).status_code == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_the_form_takes_no_other_method(site: Served, home: Path, method: str) -> None:
    assert site.ask(method, "/report", data=SAID).status_code == 405 and waiting(home) == []


def test_one_address_may_send_a_few_and_does_not_keep_others_from_it(site: Served, home: Path) -> None:
    codes = [site.ask("POST", "/report", data={"says": f"第 {n} 条"}).status_code for n in range(8)]
    assert codes == [303] * 5 + [429] * 3
    assert int(site.ask("POST", "/report", data=SAID).headers["retry-after"]) > 1
    assert site.ask("POST", "/report", client="203.0.113.9", data=SAID).status_code == 303
    assert len(waiting(home)) == 6


def test_a_full_mailbox_says_so_and_grows_no_further(site: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_OPEN", 1)
    assert site.ask("POST", "/report", data=SAID).status_code == 303
    answer = site.ask("POST", "/report", data=SAID)
    assert answer.status_code == 503 and SAID["right"] in answer.text and len(waiting(home)) == 1


def test_who_sends_slowly_is_not_waited_for(site: Served, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_form, "BODY_SECONDS", 0.2)

    async def run() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        first = [{"type": "http.request", "body": b"says=", "more_body": True}]

        async def receive() -> dict[str, Any]:
            if first:
                return first.pop()
            await asyncio.sleep(30)
            raise AssertionError("nobody waits so long")

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/report", "raw_path": b"/report", "query_string": b"", "scheme": "http",
            "headers": [(b"host", b"test"), (b"content-type", report_form.FORM)], "client": ("203.0.113.5", 1),
        }  # fmt: skip
        await asyncio.wait_for(site.site(scope, receive, send), 20)
        return sent

    start = site.loop.run_until_complete(run())[0]
    assert start["status"] == 408 and (b"connection", b"close") in start["headers"] and waiting(home) == []


def test_without_a_folder_to_write_or_by_choice_there_is_no_form(home: Path, tmp_path: Path) -> None:
    off = Served(home, reports=False)
    text = off.ask("GET", "/report").text
    assert "<textarea" not in text and "联系发布单位" in text and "未给出联系方式" in text
    assert off.ask("POST", "/report", data=SAID).status_code == 405
    off.close()
    build_release(tmp_path, FIRST)
    point_current(tmp_path, FIRST)
    (tmp_path / "reports").write_text("in the way")
    blocked = Served(tmp_path)
    assert "<textarea" not in blocked.ask("GET", "/report").text
    blocked.close()


def test_the_bureau_lists_and_closes_them(tmp_path: Path) -> None:
    box = Mailbox(Home(tmp_path).reports)
    assert box.usable()
    made = box.put(FIRST, "/claims/co2", "[red]数字不对[/red]", "")
    run = CliRunner().invoke
    listed = run(app, ["readers", "list", "--home", str(tmp_path)])
    assert listed.exit_code == 0 and made.report_id in listed.output and "[red]数字不对[/red]" in listed.output
    [as_json] = json.loads(run(app, ["readers", "list", "--json", "--home", str(tmp_path)]).output)
    assert as_json["page"] == "/claims/co2"
    done = run(app, ["readers", "close", made.report_id, "--outcome", "已更正", "--home", str(tmp_path)])
    assert done.exit_code == 0 and box.waiting() == []
    kept = json.loads((tmp_path / "reports" / "closed" / f"{made.report_id}.json").read_text(encoding="utf-8"))
    assert kept["outcome"] == "已更正" and kept["closed"]
    for name in (made.report_id, "../current", "x"):
        with pytest.raises(NoSuchReport):
            box.close(name, "x")
    assert "No open report." in run(app, ["readers", "list", "--home", str(tmp_path)]).output


def test_an_address_that_was_pasted_whole_is_kept_as_its_path() -> None:
    assert parse(b"about=https://open.example/en/claims/co2%3Fx%3D1&says=x").about == "/en/claims/co2?x=1"
    assert parse(b"about=javascript:x&says=x").about == "" and parse(b"says=a%00%E2%80%AEb").says == "a b"
    assert refusal_of(parse(b"says=2024+%E5%B9%B4")) is None


@pytest.mark.parametrize(
    "text", ["2804 台", "430202 的 2024 年", "4.471e5", "见 /indicators/energy_tce/2024", "13.9 万元"]
)
def test_figures_are_no_numbers_of_persons(text: str) -> None:
    assert personal(text) is None and not re.search("@", text)
