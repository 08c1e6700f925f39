"""From the warehouse to an immutable folder of files. Begin with build.py (making one) and store.py (those kept)."""
