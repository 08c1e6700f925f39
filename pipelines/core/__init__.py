"""Helpers of every stage: home folder, city, clock, settings, child processes, text, SQL, fingerprints of code.

Belongs here: what knows no stage and no dataset, one subject to a module. It imports nothing else of this project, and is cheap
to import: heavy libraries are loaded where they are needed. Not here: anything that only one stage needs.
"""
