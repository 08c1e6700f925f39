"""The public web site of one release at a time: Datasette behind a guard.

Belongs here: serving a finished release folder, its own pages, the guard around public SQL. Not here: computing or
changing any figure; the site only reads what `publish/release` wrote and never opens the warehouse.
"""
