"""Back to the department: the empty form, its own file with the errors marked, the tasks that follow, headers that drift.

Belongs here: everything made for the people who fill in spreadsheets, and for those who look after the contracts. Not here:
finding what is wrong (pipelines/intake, pipelines/records) or its words (pipelines/intake/messages.py).
"""
