"""Assets that one step yields come after those they depend on, or Dagster ends the run."""

from __future__ import annotations

import random

import dagster as dg

from pipelines.assets.statistics import statistics_assets, upstream_first


def test_what_is_kept_comes_after_what_it_depends_on() -> None:
    """dbt's manifest has the models in the order in which they were read last: marts/open_secrets may come before marts/secrets."""
    specs = list(statistics_assets().specs)
    marts = {s.key for s in specs if s.group_name == "marts"}
    assert dg.AssetKey(["marts", "secrets"]) in {
        d.asset_key for s in specs if s.key.path[-1] == "open_secrets" for d in s.deps
    }
    for seed in range(5):
        random.Random(seed).shuffle(specs)
        order = upstream_first(specs, marts)
        assert set(order) == marts and len(order) == len(marts)
        for spec in specs:
            for dep in spec.deps:
                if spec.key in marts and dep.asset_key in marts:
                    assert order.index(dep.asset_key) < order.index(spec.key)
