"""From marts to a release to a site. No Dagster in here, and nothing that reads a spreadsheet."""
