"""Feedback to departments: the empty form, their own file with the errors marked, tasks, and reports of changed headers.

Belongs here: everything made for the people who fill in spreadsheets, and for those who look after the contracts. Not here:
finding what is wrong (pipelines/intake, pipelines/records) or its words (pipelines/intake/messages.py).
"""
