"""Reading a spreadsheet: from the bytes of one file to typed values, and an account of every row. No Dagster in here.

Not here: rules over values (expectations), institutions and replacement across files (pipelines/records).
"""
