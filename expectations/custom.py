"""The expectations of a suite: Great Expectations' own with fewer metrics, and two of our own.

Belongs here: expectations a contract may name. Not here: which of them a contract gets (suite.py), nor the arithmetic of
a credit code (uscc.py). Importing this module imports Great Expectations, which takes seconds: only suite.py does, when the first suite runs.
"""

from __future__ import annotations

from typing import Any

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    Expectation,
    ExpectationConfiguration,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    MulticolumnMapMetricProvider,
    column_condition_partial,
    multicolumn_condition_partial,
)
from great_expectations.expectations.registry import get_metric_kwargs
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from expectations import uscc
from expectations.expression import evaluate


class _PositionsOnly(Expectation):
    """Computes only the positions of the failing rows.

    GX's map expectations compute a dozen metrics each (values, counts, a query for the rows) and build their own configuration
    over a hundred times per run: three quarters of the time of a suite over few rows.
    """

    _configuration: Any = PrivateAttr(None)
    _dependencies: Any = PrivateAttr(None)

    @property
    def configuration(self) -> ExpectationConfiguration:
        if self._configuration is None:
            self._configuration = super().configuration
        return self._configuration

    def get_validation_dependencies(
        self, execution_engine: Any = None, runtime_configuration: dict[str, Any] | None = None, **_: Any
    ) -> ValidationDependencies:
        if self._dependencies is None:
            form = (runtime_configuration or {})["result_format"]
            needed = ValidationDependencies(metric_configurations={}, result_format=form)
            for name in ("table.row_count", self._positions_metric):
                keys = get_metric_kwargs(name)
                domain = {k: getattr(self, k, None) for k in keys["metric_domain_keys"]}
                values = {k: getattr(self, k, None) for k in keys["metric_value_keys"]}
                if "result_format" in values:
                    values["result_format"] = form
                needed.set_metric_configuration(name, MetricConfiguration(name, domain, values))
            self._dependencies = needed
        return self._dependencies

    @property
    def _positions_metric(self) -> str:
        return f"{self.map_metric}.unexpected_index_list"  # type: ignore[attr-defined]

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        found = metrics[self._positions_metric]
        result = {"element_count": metrics["table.row_count"], "unexpected_index_list": found}
        return {"success": not found, "result": result}


class ExpectFilled(_PositionsOnly, gxe.ExpectColumnValuesToNotBeNull):
    """Expect no empty cell in `column`."""


class ExpectInList(_PositionsOnly, gxe.ExpectColumnValuesToBeInSet):
    """Expect each value of `column` to be in `value_set`."""


class ExpectInRange(_PositionsOnly, gxe.ExpectColumnValuesToBeBetween):
    """Expect each value of `column` between `min_value` and `max_value`."""


class ExpectPattern(_PositionsOnly, gxe.ExpectColumnValuesToMatchRegex):
    """Expect each value of `column` to match `regex`."""


class ExpectUnique(_PositionsOnly, gxe.ExpectCompoundColumnsToBeUnique):
    """Expect each combination of `column_list` once."""


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
    # A code that is wrong as a whole is reported once, by the other expectation.
    return not uscc.is_valid(code) or uscc.is_valid_organisation(uscc.organisation_code(code))


class ExpectRowsToSatisfy(_PositionsOnly, MulticolumnMapExpectation):
    """Expect each row to satisfy an expression of expectations/expression.py; the expression defines the meaning of a null.

    `column_list` names every column that the expression needs.
    """

    expression: str
    ignore_row_if: str = "never"  # type: ignore[assignment]

    map_metric = "rows.satisfy"
    success_keys = ("expression", "mostly")
    args_keys = ("column_list", "expression")


class ExpectCheckCharacter(_PositionsOnly, ColumnMapExpectation):
    """Expect each code to end in the check character that GB 32100-2015 gives it.

    `part` is `whole` for the 18th character, `organisation` for the last of the organisation code inside (GB 11714).
    """

    part: str = "whole"

    map_metric = "column_values.have_check_character"
    success_keys = ("part", "mostly")
    args_keys = ("column", "part")
