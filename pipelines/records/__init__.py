"""Makes records of what was read: names of the register, suites, duplicates, newer for older.

Belongs here: everything between the readings of all files and the accepted rows, with an account of every row. Not here:
reading a spreadsheet (pipelines/intake), what a dataset must look like (expectations), sums over records (dbt_project).
"""
