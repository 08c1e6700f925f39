"""Reception of files: inboxes, the archive, the ledgers of receipts and decisions.

Belongs here: folders and URLs (fsspec) and the ledger of receipts. Not here: what a file holds (pipelines/intake).
"""
