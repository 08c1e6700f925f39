"""Child processes under limits: one place to start them, bound them, speak with them, and survive their death.

Belongs here: limits, frames, starting, and the supervisor of children that work through batches of jobs. Not here: what a child does
(pipelines/intake/child.py, pipelines/feedback/bounded.py, publish/site/worker.py, publish/site/charts.py).
"""
