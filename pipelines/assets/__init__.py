"""Dagster's assets. Thin: each calls the folder that does the work and turns what it says into metadata and checks."""
