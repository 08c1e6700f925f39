"""Contracts: one per dataset, and the suites compiled from them.

Belongs here: the contracts (YAML, Open Data Contract Standard 3.1), the shared table of units, the model they are read
into, and the compilers to a Great Expectations suite and to dbt's sources. Not here: reading a spreadsheet
(pipelines/intake), running a suite over a city's records (pipelines/records).
"""
