"""``recmerge-bench doctor``: what is here, what is missing, how to fix it. Imports no torch."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, registry
from recmerge_bench.cli.datasets import as_json as availability_as_json
from recmerge_bench.interface.health import DoctorReport
from recmerge_bench.interface.health import doctor as check


@click.command()
@data_root_option
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def doctor(ctx: click.Context, data_root: Path | None, as_json: bool) -> int:
    """Check versions, RecBole's state, devices, data and plugins."""
    report = check(data_root=data_root, plugins=registry(ctx))
    click.echo(json.dumps(_as_json(report), indent=1) if as_json else "\n".join(report.lines()))
    return 0 if report.ok else 1


def _as_json(report: DoctorReport) -> dict[str, Any]:
    return {
        **asdict(report),
        "datasets": [availability_as_json(row) for row in report.datasets],
        "encoders": [availability_as_json(row) for row in report.encoders],
    }
