"""What departments put in an inbox: listing it, opening it, and remembering what came when.

Belongs here: folders and URLs (fsspec) and the ledger of receipts. Not here: what a file holds (pipelines/intake).
"""
