"""Compiles a contract into a Great Expectations suite and runs it over the joined rows of a dataset and year.

Belongs here: the expectations of each part of a contract, and GX's result as failing rows. Not here: the consequence of a failing
row for the record (pipelines/records). Great Expectations takes seconds to import, so it is imported
when the first suite runs and never before.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract, ContractError, Reference, Rule
from expectations.expression import HALF, LIVE, SCOPE, evaluate, parse

# A larger number would not fit the decimals of the statistics, nor a float exactly. A province's budget, at some 10^12 元, does.
LARGEST = Decimal(10) ** 15
REPEATED = ".repeated"  # behind a column's name: the rule that each of its values comes once
FAILURES = {"position": "int64", "column": "str", "code": "str", "severity": "str", "rule": "str"}


class SuiteError(RuntimeError):
    """A suite could not be run: a mistake in a contract or a change in Great Expectations, never a bad row."""

    exit_status = 1


@dataclass(frozen=True)
class Outcome:
    """The outcome of one expectation: `checked` rows, `failed` of them. `rule` is unique within the dataset."""

    rule: str
    column: str | None
    code: str
    severity: str
    checked: int
    failed: int

    @property
    def success(self) -> bool:
        return self.failed == 0


@dataclass(frozen=True)
class Checked:
    """The result of one suite. `failures` has the columns of `FAILURES`, one line per row and expectation that failed,
    in order of `position` (the row's place in the frame, from 0) and then of the suite."""

    failures: pd.DataFrame
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class Planned:
    """One expectation before it is built: its class name and arguments, and the rule and code of its failures."""

    kind: str
    arguments: dict[str, Any]
    rule: str
    column: str | None
    code: str
    severity: str = "error"


def plan(contract: Contract, known: Mapping[str, Collection[str]] | None = None) -> list[Planned]:
    """Return every expectation of a contract, in order. See `check` for `known`."""
    known = known or {}
    out: list[Planned] = []
    for c in contract.kept:
        out += _of_column(c, known, contract.register)
        if c.required and c.name in contract.changing:
            out[:] = [_in_its_versions(contract, p) if p.rule == f"{c.name}.required" else p for p in out]
    out += [_of_reference(r) for r in contract.references if not r.table.startswith("city.")]
    out += [_of_rule(r) for r in contract.rules]
    period = contract.period
    within = [period.name] if period and period.kept and period.kind in ("year", "month") else []
    for c in contract.kept:
        if c.distinct:
            arguments = {"column_list": ["_file", *within, c.name], "ignore_row_if": "any_value_is_missing"}
            out.append(Planned("ExpectUnique", arguments, f"{c.name}{REPEATED}", c.name, "doubtful", "warning"))
    if contract.key:
        columns = ["_file", SCOPE, *contract.key]
        arguments = {"column_list": columns, "ignore_row_if": "any_value_is_missing"}
        out.append(Planned("ExpectUnique", arguments, "key", None, "duplicate_key"))
    return out


def _of_column(c: Column, known: Mapping[str, Collection[str]], register: bool) -> list[Planned]:
    out = []

    def expect(kind: str, name: str, code: str, severity: str = "error", **arguments: Any) -> None:
        out.append(Planned(kind, arguments, f"{c.name}.{name}", c.name, code, severity))

    if c.required:
        expect("ExpectFilled", "required", "missing_required", column=c.name)
    if c.values and c.subset:
        one = "|".join(map(_escape, sorted(c.values, key=len, reverse=True)))
        expect(
            "ExpectPattern",
            "values",
            "not_in_list",
            column=c.name,
            regex=rf"^\s*(?:{one})(?:[\s、，,;；/|+和及]*(?:{one}))*\s*$",
        )
    elif c.values:
        expect("ExpectInList", "values", "not_in_list", column=c.name, value_set=list(c.values))
    elif c.codelist is not None and known.get(c.codelist):
        expect("ExpectRowsToSatisfy", "values", "not_in_list", **_over(f"{c.name}.{c.codelist} == 1"))
    lowest = c.minimum if c.exclusive_minimum is None else c.exclusive_minimum
    if lowest is not None or c.maximum is not None or c.kind in ("decimal", "integer"):
        expect(
            "ExpectInRange",
            "range",
            "out_of_range",
            column=c.name,
            min_value=float(-LARGEST if lowest is None else lowest),
            max_value=float(LARGEST if c.maximum is None else c.maximum),
            strict_min=c.exclusive_minimum is not None,
        )
    bounds = [
        f"{c.name} {sign} '{bound}'"
        for sign, bound in ((">=", c.minimum_text), ("<=", c.maximum_text))
        if bound is not None
    ]
    if bounds:
        expect("ExpectRowsToSatisfy", "range", "out_of_range", **_over(" and ".join(bounds)))
    if c.pattern is not None:
        pattern = f"^(?:{c.pattern})$"
        expect("ExpectPattern", "pattern", "bad_type", column=c.name, regex=pattern)
    if c.check == "uscc":
        expect("ExpectCheckCharacter", "check", "bad_check_digit", column=c.name, part="whole")
        expect(
            "ExpectCheckCharacter",
            "organisation_check",
            "doubtful",
            "warning",
            column=c.name,
            part="organisation",
        )
    if c.institution == "name" and not register and known.get("institutions"):
        expect("ExpectRowsToSatisfy", "institution", "unknown_institution", **_over(f"{c.name}.institutions == 1"))
    return out


def _in_its_versions(contract: Contract, required: Planned) -> Planned:
    """The expectation that a column is filled, of the periods alone in which the form has it."""
    name, period = str(required.column), contract.period
    assert period is not None  # parsing saw to it
    outside = []
    for v in contract.versions:
        bound = {"year": v.valid_from[:4], "month": f"'{v.valid_from[:7]}'"}.get(period.kind, f"'{v.valid_from}'")
        outside += [f"{period.name} < {bound}"] if name in v.adds else []
        outside += [f"{period.name} >= {bound}"] if name in v.drops else []
    expression = " or ".join([*outside, f"given({name})"])
    return replace(required, kind="ExpectRowsToSatisfy", arguments=_over(expression))


def _of_reference(r: Reference) -> Planned:
    expression = f"{r.column}.known == 1"
    return Planned("ExpectRowsToSatisfy", _over(expression), f"{r.column}.reference", r.column, "doubtful", "warning")


def _of_rule(r: Rule) -> Planned:
    return Planned("ExpectRowsToSatisfy", _over(r.expression), r.name, None, r.code, r.severity)


def _over(expression: str) -> dict[str, Any]:
    # GX wants at least two columns of an expectation over rows; the file is there whatever the contract.
    columns = parse(expression).needs
    return {"column_list": list(columns) if len(columns) > 1 else [*columns, "_file"], "expression": expression}


def _escape(text: str) -> str:
    return "".join(f"\\{c}" if c in r"\.^$*+?{}[]|()" else c for c in text)


def check(contract: Contract, frame: pd.DataFrame, known: Mapping[str, Collection[str]] | None = None) -> Checked:
    """Run a contract's suite once over `frame`.

    `frame` has the contract's kept columns and `_file`, dtypes as `pipelines.intake.readings.DTYPES`, in any index, and
    the joined columns `beside` (see pipelines/records/beside.py; one that is left out counts as null); institutions and
    divisions are in it under the names of the register already. `known` holds the members of lists that
    a contract cannot: `institutions` (names of the register; left out where there is none) and any `codelist` a column
    names. A key counts as used twice only within one file; every row of the group is in the result, the first too.

    Raises SuiteError where an expectation could not be computed, ContractError where a rule does not fit its columns.
    """
    planned = plan(contract, known)
    plain = _plain(contract, frame, known or {})
    for r in contract.rules:
        _rehearse(contract, r, plain)
    if frame.empty or not planned:
        return Checked(_failures([]), [Outcome(p.rule, p.column, p.code, p.severity, 0, 0) for p in planned])
    results = _run(planned, plain)
    found: list[tuple[np.ndarray, Planned, int]] = []
    outcomes = []
    for i, p in enumerate(planned):
        result = results[i]
        at = np.asarray(result["unexpected_index_list"] or [], dtype="int64")
        outcomes.append(Outcome(p.rule, p.column, p.code, p.severity, int(result["element_count"]), len(at)))
        if len(at):
            found.append((at, p, i))
    return Checked(_failures(found), outcomes)


def _plain(contract: Contract, frame: pd.DataFrame, known: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """The frame in dtypes that Great Expectations compares vectorised: Int64 as float64.

    Its index is the position, which (unlike file, sheet and row) is unique where two tables are side by side.
    Membership in a long list is computed here, as a column of 1 and 0: GX copies its arguments many times.
    """
    data: dict[str, Any] = {}
    for c in contract.kept:
        column = frame[c.name]
        data[c.name] = column.astype("float64") if c.kind in ("integer", "year", "boolean") else column
        for name in ({"institutions"} if c.institution == "name" else set()) | ({c.codelist} if c.codelist else set()):
            inside = column.isin(list(known.get(name) or ()))
            data[f"{c.name}.{name}"] = inside.astype("float64").where(column.notna())
    data["_file"] = frame["_file"]
    data[SCOPE] = frame[SCOPE] if SCOPE in frame.columns else np.full(len(frame), "")
    nothing = np.full(len(frame), np.nan)
    halves = (n + HALF for n in contract.exact)
    for name in (*(f"{r.column}.known" for r in contract.references), *contract.referenced, *halves):
        referenced = frame[name] if name in frame.columns else pd.Series(nothing)
        data[name] = referenced.astype("float64") if str(referenced.dtype) in ("Int64", "boolean") else referenced
    data[LIVE] = frame[LIVE] if LIVE in frame.columns else np.ones(len(frame), dtype=bool)
    return pd.DataFrame({k: v.array if hasattr(v, "array") else v for k, v in data.items()})


def _failures(found: list[tuple[np.ndarray, Planned, int]]) -> pd.DataFrame:
    """All failures in one frame, ordered by row and then by the order of the suite."""
    if not found:
        return pd.DataFrame({n: pd.Series([], dtype=t) for n, t in FAILURES.items()})
    sizes = [len(at) for at, _, _ in found]
    frame = pd.DataFrame(
        {
            "position": np.concatenate([at for at, _, _ in found]),
            "column": pd.Series(np.repeat([p.column for _, p, _ in found], sizes), dtype="str"),
            "code": pd.Series(np.repeat([p.code for _, p, _ in found], sizes), dtype="str"),
            "severity": pd.Series(np.repeat([p.severity for _, p, _ in found], sizes), dtype="str"),
            "rule": pd.Series(np.repeat([p.rule for _, p, _ in found], sizes), dtype="str"),
            "order": np.repeat([i for _, _, i in found], sizes),
        }
    )
    frame = frame.sort_values(["position", "order"], kind="stable", ignore_index=True)
    return frame[list(FAILURES)].astype(FAILURES)


EXAMPLES: dict[str, Any] = {
    "string": pd.Series(["a"], dtype="str"),
    "enum": pd.Series(["a"], dtype="str"),
    "month": pd.Series(["2021-01"], dtype="str"),
    "decimal": pd.Series([1.0]),
    "integer": pd.Series([1.0]),
    "year": pd.Series([2021.0]),
    "boolean": pd.Series([1.0]),
    "date": pd.Series(np.array(["2021-01-01"], dtype="datetime64[s]")),
}


@lru_cache(maxsize=1024)
def _rehearsed(expression: str, kinds: tuple[tuple[str, str], ...]) -> str | None:
    try:
        halves = {n + HALF: [0.5] for n in parse(expression).exact}
        evaluate(expression, pd.DataFrame({name: EXAMPLES[kind] for name, kind in kinds} | {LIVE: [True]} | halves))
    except (
        TypeError,
        ValueError,
        SyntaxError,
        NotImplementedError,
        AttributeError,
        KeyError,
    ) as e:  # what pandas says of
        # operands it cannot put together, Arrow's by NotImplementedError; whoever asked makes it a ContractError
        return " ".join(str(e).split())[:120] or type(e).__name__
    return None


def _rehearse(contract: Contract, r: Rule, frame: pd.DataFrame) -> None:
    """Evaluate a rule on one made-up row, so that a type error is reported before the rule meets data."""
    if frame[list(r.parsed.referenced)].isna().all().any():
        return  # a column without any value has no known type
    own = tuple((c, contract.column(c).kind) for c in r.columns)
    wrong = _rehearsed(r.expression, own + tuple((n, _kind(frame[n])) for n in r.parsed.referenced))
    if wrong is not None:
        raise ContractError(
            f"{contract.path.name}: rule '{r.name}': expression {r.expression!r} cannot be computed over its columns "
            f"({wrong}); compare numbers with numbers, dates with dates and text with text."
        )


def _kind(column: pd.Series) -> str:
    return {"f": "decimal", "M": "date"}.get(column.dtype.kind, "string")


@contextmanager
def _without_spark() -> Iterator[None]:
    """Lets Great Expectations be imported as where there is no Spark: wherever the extra `spark` is installed it would import all of pyspark
    (great_expectations 1.24, compatibility/pyspark.py), which warns of pandas 3. Suites run on pandas."""
    name = "pyspark"
    known = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # importing it raises ImportError
    try:
        yield
    finally:
        if known is None:
            del sys.modules[name]
        else:
            sys.modules[name] = known


@lru_cache(maxsize=1)
def ephemeral_context() -> Any:
    """One GX context for the life of the process; it writes nothing and sends nothing."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    with warnings.catch_warnings(), _without_spark():
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        import expectations.custom  # noqa: F401  importing registers its two expectations
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@lru_cache(maxsize=1)
def _batches() -> Any:
    source = ephemeral_context().data_sources.add_pandas("rows")
    return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")


def expectation(planned: Planned, number: int = 0) -> Any:
    """Build GX's object of a planned expectation. `number` distinguishes equal ones: a suite holds each configuration once."""
    ephemeral_context()  # imports GX quietly
    from expectations import custom

    meta = {
        "rule": planned.rule,
        "column": planned.column,
        "code": planned.code,
        "severity": planned.severity,
        "n": number,
    }
    level = "critical" if planned.severity == "error" else "warning"
    return getattr(custom, planned.kind)(**planned.arguments, severity=level, meta=meta)


def _run(planned: list[Planned], frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The `result` of each expectation, in order. Raises SuiteError for one that was not computed."""
    batches = _batches()
    import great_expectations as gx

    suite = gx.ExpectationSuite(name="contract")
    for n, p in enumerate(planned):
        suite.expectations.append(expectation(p, n))
    batch = batches.get_batch(batch_parameters={"dataframe": frame})
    with warnings.catch_warnings():
        # pandas warns of a pattern with a group, which a contract may have: only the match matters.
        warnings.filterwarnings("ignore", "This pattern is interpreted as a regular expression, and has match groups")
        validated = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    out: dict[int, dict[str, Any]] = {}
    for r in validated.results:
        config = r.expectation_config
        raised = _exception(r.exception_info)
        if raised is not None or ("unexpected_index_list" not in r.result and r.result.get("unexpected_count")):
            raise SuiteError(
                f"Rule '{config.meta['rule']}' could not be computed ({raised or 'no rows named'}); "
                "mend the rule in the contract, or the version of great-expectations."
            )
        out[config.meta["n"]] = {"unexpected_index_list": r.result.get("unexpected_index_list"), **r.result}
    if len(out) != len(planned):
        raise SuiteError(f"{len(planned) - len(out)} of {len(planned)} expectations gave no result.")
    return [out[n] for n in range(len(planned))]


def _exception(info: Any) -> str | None:
    """The message of an exception that GX caught; it nests one entry per metric in some cases and none in others."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    for e in entries:
        if e.get("raised_exception"):
            return str(e.get("exception_message") or "no message").split("\n")[0][:200]
    return None
