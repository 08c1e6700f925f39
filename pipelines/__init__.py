"""Runs things: Dagster's assets, checks and jobs, the command line, and the stages that end with a city's records.

Belongs here: sources, archive, reading, records, running dbt, orchestration. Not here: what a spreadsheet must look like
(expectations), what is computed (dbt_project), what is published (publish).
"""

import os

# Linear algebra here is of many small matrices. On a busy machine OpenBLAS's threads spend more of the processor waiting for one
# another than on the work, and in which order they add is the machine's affair. It reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
