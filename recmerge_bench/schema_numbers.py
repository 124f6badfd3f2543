"""The number of each file format that the package writes and reads.

A number is raised when a file of the former one would be read as something else; what reads it then
says so or turns the former into the present one (`results.migrations`).
"""

from __future__ import annotations

#: ``<suite>.json``.
RECORDS = 4
#: ``<suite>.cost.json``.
COSTS = 3
#: ``<suite>.curves.json``.
CURVES = 1
#: ``<suite>.groups.json``.
GROUPS = 1
#: ``ranks.lock.json`` beside records.
RANKS_LOCK = 1
#: ``suites/<suite>.json`` in a run's folder.
RUN_MANIFEST = 1
#: ``record.json`` of a cell in the store.
CELL = 1
#: ``manifest.json`` of a submission's bundle.
BUNDLE = 1
