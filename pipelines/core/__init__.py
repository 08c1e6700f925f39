"""What every stage stands on: the home folder, the clock, settings, memory, progress, names of files, the code's version.

Belongs here: what knows no stage and no dataset, one subject to a module. It imports nothing else of this project, and is cheap
to import: heavy libraries are loaded where they are needed. Not here: anything that only one stage needs.
"""
