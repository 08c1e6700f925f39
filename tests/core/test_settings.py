"""Settings are read alike by every command and by Dagster, and a wrong one is a sentence and exit status 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets.place import Place, place_of
from pipelines.core.settings import PREFIX, Settings, SettingsError
from tests.conftest import ROOT, mingzhang

WRONG = {"AS_OF": "foo", "PROCESSES": "abc", "DUE_DAYS": "-1", "FULL": "perhaps"}


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder without settings, which is the current one."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_a_sentence(name: str, nothing_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, WRONG[name])
    with pytest.raises(SettingsError, match=f"^The setting {PREFIX}{name} is '{WRONG[name]}' .*; mend it") as e:
        Settings.read()
    assert e.value.exit_status == 2 and "\n" not in str(e.value)


@pytest.mark.parametrize("command", [["run"], ["check", "README.md"], ["releases", "list"], ["serve"], ["dev"]])
def test_every_command_ends_with_2_on_a_wrong_setting(command: list[str], tmp_path: Path) -> None:
    done = mingzhang(*command, env={f"{PREFIX}AS_OF": "foo", f"{PREFIX}HOME": str(tmp_path / "home")})
    assert done.returncode == 2
    assert done.stderr.startswith(f"mingzhang: The setting {PREFIX}AS_OF is 'foo'") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_file_is_no_home(home: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "inbox").mkdir()
    done = mingzhang("run", "--home", tmp_path / home, "--inbox", tmp_path / "inbox")
    assert done.returncode == 2
    assert "a file and no folder; give another --home" in done.stderr and done.stderr.count("\n") == 1


def test_a_dotenv_file_means_the_same_after_the_folder_changes(nothing_set: Path) -> None:
    """`mingzhang dev` changes to the code's own folder; Dagster must still work on the home, inbox and date of this one."""
    (nothing_set / ".env").write_text(
        "MINGZHANG_HOME=here\nMINGZHANG_INBOX=in\nMINGZHANG_AS_OF=2025-12-31\nMINGZHANG_DUE_DAYS=0\n", encoding="utf-8"
    )
    code = "from pipelines.definitions import defs; p = defs.resources['place']; print(p.home, p.inbox, p.as_of, p.due_days)"
    environment = Settings.read().environment()
    read = {
        "here": subprocess.run(
            [sys.executable, "-c", code], cwd=nothing_set, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        ),
        "elsewhere": subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
        ),
    }
    wanted = f"{nothing_set / 'here'} ['{nothing_set / 'in'}'] 2025-12-31 0"
    for where, done in read.items():
        assert done.stdout.strip() == wanted, (where, done.stderr)


def test_a_launch_with_one_field_keeps_the_others(nothing_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_HOME", str(nothing_set / "home"))
    monkeypatch.setenv("MINGZHANG_INBOX", "sftp://host/a\nin")
    seen = []

    @dg.asset
    def looks(place: Place) -> None:
        seen.append(place)

    job = dg.Definitions(
        assets=[looks],
        jobs=[dg.define_asset_job("j")],
        resources={"place": place_of(Settings.read())},
        executor=dg.in_process_executor,
    ).resolve_job_def("j")
    job.execute_in_process(run_config={"resources": {"place": {"config": {"full": True}}}})
    (place,) = seen
    assert place.full and place.home == str(nothing_set / "home")
    assert place.inbox == ["sftp://host/a", str(nothing_set / "in")]
