"""The two expectations that Great Expectations does not have: a rule over a row, and a check character.

Belongs here: expectations a contract may name. Not here: which of them a contract gets (suite.py), nor the arithmetic of
a credit code (uscc.py). Importing this imports Great Expectations, which takes seconds: only suite.py does, and late.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_condition_partial,
)

from expectations import uscc


class _RowsSatisfy(MulticolumnMapMetricProvider):
    condition_metric_name = "rows.satisfy"
    condition_domain_keys = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")
    condition_value_keys = ("expression",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column_list: pd.DataFrame, expression: str, **_: Any) -> pd.Series:
        return evaluate(expression, column_list)


class _CheckCharacter(ColumnMapMetricProvider):
    condition_metric_name = "column_values.have_check_character"
    condition_value_keys = ("part",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, part: str, **_: Any) -> pd.Series:
        codes = column.unique()
        good = {c for c in codes if (_organisation_holds if part == "organisation" else uscc.is_valid)(str(c))}
        return column.isin(good)


def _organisation_holds(code: str) -> bool:
    # A code that is wrong as a whole is told once, by the other expectation.
    return not uscc.is_valid(code) or uscc.is_valid_organisation(uscc.organisation_code(code))


class ExpectRowsToSatisfy(MulticolumnMapExpectation):
    """Expect each row to satisfy an expression over `column_list`; a row with a null in one of them passes.

    `expression` is a pandas `DataFrame.eval` expression, `column_list` names every column it uses.
    """

    expression: str
    ignore_row_if: str = "any_value_is_missing"  # type: ignore[assignment]

    map_metric = "rows.satisfy"
    success_keys = ("expression", "mostly")
    args_keys = ("column_list", "expression")


class ExpectColumnValuesToHaveCheckCharacter(ColumnMapExpectation):
    """Expect each code to end in the check character that GB 32100-2015 gives it.

    `part` is `whole` for the 18th character, `organisation` for the last of the organisation code inside (GB 11714).
    """

    part: str = "whole"

    map_metric = "column_values.have_check_character"
    success_keys = ("part", "mostly")
    args_keys = ("column", "part")


def evaluate(expression: str, frame: pd.DataFrame) -> pd.Series:
    """The expression over the frame's columns, as booleans on the frame's index.

    Raises TypeError or ValueError where its columns cannot be compared so.
    """
    if frame.empty:
        return pd.Series(False, index=frame.index, dtype=bool)
    return pd.Series(frame.eval(expression, engine="python"), index=frame.index).astype(bool)
