"""A sensor for each source: it lists the source and asks for a run once what is new there stands still.

Belongs here: comparing one listing with the last. Not here: listing (pipelines/sources), or taking anything in (the asset `received`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from pipelines.alerts import Alert, has_channel, send
from pipelines.sources.inbox import InboxError, InboxFile, list_patiently
from pipelines.sources.source import Source, as_source

RECEIVED = dg.AssetKey("received")
COMMAND_LINE = ("mingzhang/from", "command line")  # the tag of our own runs in Dagster's record


def name_of(source: str | Source) -> str:
    """The name of a source, else one that Dagster takes: the end of its address, and six digits of its digest."""
    source = as_source(source)
    if source.name:
        return source.name
    inbox = source.address
    end = re.sub(r"[^A-Za-z0-9]+", "_", inbox.rstrip("/").rsplit("/", 1)[-1]).strip("_")
    return f"{end[:40]}_{hashlib.sha256(inbox.encode()).hexdigest()[:6]}".lstrip("_")


def check_of(source: str | Source) -> str:
    """The name of the check that says whether a source answers."""
    return f"source_{name_of(source)}"


def listing_digest(files: list[InboxFile]) -> str:
    """A digest of a listing: the same while no file came, went or changed its looks."""
    h = hashlib.sha256()
    for f in files:
        h.update(f"{f.url}\0{f.attributes}\n".encode())
    return h.hexdigest()


def source_sensor(source: str | Source, job: Any, home: str = "") -> dg.SensorDefinition:
    """The sensor of one source. Its cursor holds the digest of the listing last seen, and of the one that a run was asked for: a run is
    asked for once two looks in a row see the same, so that a file still being copied is waited for. The digest is the run's key.

    A source that does not answer fails the source's check, and the tick with the same sentence; it never looks like nothing new. The first
    such tick sends an alert, which names `home`.
    """

    source = as_source(source)

    @dg.sensor(
        name=f"source_{name_of(source)}",
        job=job,
        minimum_interval_seconds=source.seconds,
        description=f"来源 {source.address} 有新文件且不再变化时运行 Runs `refresh` once what is new in {source.address} stands still. "
        "Off until somebody switches it on.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        cursor = json.loads(context.cursor or "{}")
        try:
            files = list_patiently(source)
        except InboxError as e:
            if _answered(context.instance, source):
                _send(context, Alert("down", str(e), home))
            context.instance.report_runless_asset_event(answers(source, error=e))
            raise
        digest = listing_digest(files)
        if cursor.get("seen") != digest or not _answered(context.instance, source):
            context.instance.report_runless_asset_event(answers(source, files=len(files)))
        seen, asked = cursor.get("seen"), cursor.get("asked")
        context.update_cursor(json.dumps({"seen": digest, "asked": digest if digest == seen else asked}))
        if digest == asked:
            return dg.SkipReason(f"Nothing new among {len(files):,} files.")
        if digest != seen:
            return dg.SkipReason(
                f"{len(files):,} files, not the same as at the last look: waiting until they stand still."
            )
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=digest, tags={"mingzhang/source": name_of(source)})])

    return look


def failure_sensor(home: str) -> dg.SensorDefinition:
    """Sends an alert about each run of Dagster's that failed; a run from the command line sends its own."""

    @dg.run_failure_sensor(
        name="alerts",
        description="运行失败时通知 Sends an alert about a run that failed, over the channels of MINGZHANG_ALERT_*.",
        default_status=dg.DefaultSensorStatus.RUNNING if has_channel() else dg.DefaultSensorStatus.STOPPED,
    )
    def alerts(context: dg.RunFailureSensorContext) -> None:
        if COMMAND_LINE in context.dagster_run.tags.items():
            return
        errors = [e.event_specific_data.error for e in context.get_step_failure_events()]  # type: ignore[union-attr]
        below = [x for e in errors if e for x in _causes(e)]
        names = {x.cls_name for x in below}
        if "GateHeld" in names:
            _send(
                context,
                Alert("held", "一个新版待确认 A release waits for a yes; read why with: mingzhang releases list", home),
            )
            return
        text = " ".join((below[-1].message if below else context.failure_event.message or "").split())
        _send(context, Alert("refused" if "GateRefused" in names else "failed", text, home))

    return alerts


def _causes(error: Any) -> Iterator[Any]:
    """An error and what it came of."""
    while error is not None:
        yield error
        error = error.cause


def _send(context: Any, alert: Alert) -> None:
    for sentence in send(alert):
        context.log.warning(sentence)


def _answered(instance: dg.DagsterInstance, source: Source) -> bool:
    """Whether the source answered when its check was last evaluated; True where it never was."""
    key = dg.AssetCheckKey(RECEIVED, check_of(source))
    found = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    return not found or found[0].status != AssetCheckExecutionRecordStatus.FAILED


def answers(source: str | Source, files: int | None = None, error: object = None) -> dg.AssetCheckEvaluation:
    """The evaluation of a source's check: that it was listed, or why not."""
    said: dict[str, Any] = {"source": as_source(source).address}
    if files is not None:
        said["files"] = files
    if error is not None:
        said["why"] = str(error)
    return dg.AssetCheckEvaluation(
        check_name=check_of(source),
        asset_key=RECEIVED,
        passed=error is None,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=said,
    )
