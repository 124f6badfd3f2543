"""The stages: which module runs a kind of cell. Each has ``run(context) -> report``."""

from __future__ import annotations

STAGES = {
    "data": "recmerge_bench.running.stage_data",
    "text": "recmerge_bench.running.stage_text",
    "weights": "recmerge_bench.running.stage_weights",
    "split": "recmerge_bench.running.stage_split",
    "candidates": "recmerge_bench.running.stage_candidates",
    "entries": "recmerge_bench.running.stage_entries",
    "train": "recmerge_bench.running.stage_train",
    "merge": "recmerge_bench.running.stage_merge",
    "validate": "recmerge_bench.running.stage_validate",
    "curve": "recmerge_bench.running.stage_curve",
    "rank": "recmerge_bench.running.stage_rank",
    "lists": "recmerge_bench.running.stage_lists",
}
