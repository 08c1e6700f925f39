"""What dbt calls `adapter`, for sqlfluff, which renders the models without dbt: DuckDB's form of each dispatched macro."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str, project: str) -> Callable[..., Any]:
    """The macro of that name for DuckDB (macros/engines.sql)."""
    found: Callable[..., Any] = context[f"default__{name}"]
    return found
