"""Runs things: Dagster's assets, checks and jobs, the command line, and the stages that end with a city's records.

Belongs here: sources, archive, reading, records, running dbt, orchestration. Not here: what a spreadsheet must look like
(expectations), what is computed (dbt_project), what is published (publish).
"""
