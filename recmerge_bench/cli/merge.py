"""``recmerge-bench merge``: merge any checkpoints, outside a suite."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.errors import HandledError, near
from recmerge_bench.specs import Spec, StrategySpec

if TYPE_CHECKING:
    from recmerge_bench.merging.stream import Streamed

FILE = click.Path(path_type=Path, dir_okay=False)
ACTIONS = ("merge", "base", "drop", "concatenate")


@click.command()
@click.option("--method", required=True, metavar="NAME", help="A merge strategy of data tier T0.")
@click.option("--base", required=True, type=FILE, help="The experts' shared base (safetensors).")
@click.option("--expert", "experts", required=True, multiple=True, type=FILE, help="Repeatable.")
@click.option("--set", "changes", multiple=True, metavar="key=value", help="The method's options.")
@click.option(
    "--policy", "rules", multiple=True, metavar="PREFIX=merge|base|drop|concatenate",
    help="What becomes of parameters whose names begin so; all merge by default.",
)  # fmt: skip
@click.option(
    "--sweep", metavar="S1,S2,...",
    help="Several scales in one pass; the name of OUT then holds {scale}.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True,
    help="For methods that draw.",
)  # fmt: skip
@click.option("-o", "--out", required=True, type=FILE, help="The merged checkpoint.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_context
def merge(
    ctx: click.Context,
    method: str,
    base: Path,
    experts: tuple[Path, ...],
    changes: tuple[str, ...],
    rules: tuple[str, ...],
    sweep: str | None,
    seed: int,
    out: Path,
    force: bool,
) -> int:
    """Merge checkpoints of one architecture, streaming them from disk.

    Beside OUT come OUT.json, a record of what was merged and how, and OUT.md, a model card.
    """
    from recmerge_bench.merging.outputs import refuse_equal, refuse_outs, refuse_twice, staged
    from recmerge_bench.planning.options import complete
    from recmerge_bench.planning.suite import key_values

    found = registry(ctx)
    spec = found.get("strategy", method)
    given = key_values(changes)
    outs = _outs(out, sweep, given)
    refuse_twice(experts)
    refuse_outs(outs, (base, *experts), force)
    assert isinstance(spec, StrategySpec)  # a registry holds each kind's own
    _check(spec, sweep is not None)
    options = complete(spec, {**given, **({"scale": 1.0} if sweep else {})}, "merge")
    policy = _policy(rules)
    from recmerge_bench.contracts import definition
    from recmerge_bench.merging.stream import Streamed

    strategy = definition(spec, options)
    source = Streamed(base, experts, policy)
    _announce(source, strategy.reach if not strategy.surveys() else "entry")
    given_files = {path: _file(path) for path in (base, *experts)}  # before anything is replaced
    refuse_equal({path: given_files[path]["sha256"] for path in experts})
    with staged(outs, source.bytes()[1]) as places:
        start = time.perf_counter()
        facts = _merged(source, strategy, places, seed, {"method": method})
        chosen = {"scale": facts.pop("scale")} if "scale" in facts else {}
        about = {
            "method": method,
            "policy": policy,
            "seed": seed,
            "base": given_files[base],
            "experts": [given_files[path] for path in experts],
            "parameters": facts,
            **chosen,
            "seconds": time.perf_counter() - start,
            "provenance": _provenance(),
        }
        for scale, file in places.items():
            used = options if scale is None else {**options, "scale": scale}
            own = {**about, "options": used, "merged": _file(file)}
            text = json.dumps(own, indent=1, sort_keys=True) + "\n"
            Path(f"{file}.json").write_text(text, encoding="utf-8")
            Path(f"{file}.md").write_text(_card(spec, own), encoding="utf-8")
    for file in outs.values():
        click.echo(f"wrote {file}, {file}.json and {file}.md")
    return 0


def _outs(out: Path, sweep: str | None, options: dict[str, Any]) -> dict[float | None, Path]:
    """Scale -> file; the one scale None without a sweep."""
    from recmerge_bench.planning.options import fits

    if sweep is None:
        return {None: out}
    try:
        scales = [float(part) for part in sweep.split(",")]
    except ValueError:
        raise HandledError(f"--sweep takes numbers such as 0.2,0.4, not '{sweep}'") from None
    if "{scale}" not in out.name:
        raise HandledError(f"--sweep writes several files: put {{scale}} into the name '{out}'")
    if "scale" in options:
        raise HandledError("give scales by --sweep or by --set scale=, not by both")
    for number, scale in enumerate(scales):
        if not fits(scale):
            raise HandledError(f"--sweep takes numbers that fp32 holds, not {scale}")
        if scale in scales[:number]:
            raise HandledError(f"--sweep names {scale:g} twice")
    return {s: out.with_name(out.name.replace("{scale}", f"{s:.12g}")) for s in scales}


def _check(spec: StrategySpec, sweep: bool) -> None:
    from recmerge_bench.targets import load_class

    if spec.passthrough or "experts" not in spec.inputs:
        raise HandledError(f"'{spec.name}' does not merge experts: run it in a suite")
    if spec.tier != "T0":
        raise HandledError(
            f"'{spec.name}' needs more than weights (data tier {spec.tier}): run it in a suite"
        )
    if load_class(spec.target).modulated:  # type: ignore[attr-defined]
        raise HandledError(f"'{spec.name}' makes a model for each domain: run it in a suite")
    if sweep and not load_class(spec.target).scaled:  # type: ignore[attr-defined]
        raise HandledError(f"'{spec.name}' is not linear in a scale: merge once for each setting")


def _policy(rules: tuple[str, ...]) -> dict[str, str]:
    policy = {}
    for rule in rules:
        prefix, sign, action = rule.rpartition("=")
        if not sign or action not in ACTIONS:
            raise HandledError(
                f"--policy takes PREFIX={'|'.join(ACTIONS)}, not '{rule}'{near(action, ACTIONS)}"
            )
        if prefix in policy:
            raise HandledError(f"--policy names '{prefix}' twice")
        policy[prefix] = action
    return policy


def _announce(source: Streamed, reach: str) -> None:
    read, written = source.bytes()
    held = {
        "entry": "a few blocks at a time",
        "tensor": "a tensor of each at a time",
        "model": "all in memory: this method has to see them together",
    }[reach]
    click.echo(
        f"{len(source.experts)} experts, {len(source.merged)} tensors: reads "
        f"{read / 1e6:,.0f} MB at the least, writes {written / 1e6:,.0f} MB; {held}"
    )


def _merged(
    source: Streamed,
    strategy: Any,
    outs: dict[float | None, Path],
    seed: int,
    about: dict[str, str],
) -> dict[str, Any]:
    from rich.progress import Progress

    total = sum(source.base[n].numel() for n in source.merged)
    with Progress(transient=True) as bar:
        task = bar.add_task("merging", total=total)

        def tell(done: int) -> None:
            bar.update(task, completed=done)

        if None in outs:
            return source.merge(strategy, outs[None], seed, about, tell)
        scaled = {scale: path for scale, path in outs.items() if scale is not None}
        return source.sweep(strategy, scaled, seed, about, tell)


def _file(path: Path) -> dict[str, Any]:
    from recmerge_bench.digests import file_digest

    return {"file": path.name, "bytes": path.stat().st_size, "sha256": file_digest(path)}


def _provenance() -> dict[str, Any]:
    from recmerge_bench.running.provenance import provenance

    return provenance()


def _card(spec: Spec, about: dict[str, Any]) -> str:
    options = ", ".join(f"{k}={v}" for k, v in about["options"].items()) or "none"
    if "scale" in about:
        options += f" (which gave a scale of {about['scale']:.6g})"
    rows = [("base", about["base"]), *((f"expert {n}", e) for n, e in enumerate(about["experts"]))]
    files = "\n".join(f"| {role} | {f['file']} | {f['sha256']} |" for role, f in rows)
    return (
        f"# {about['merged']['file']}\n\n"
        f"Merged by `{spec.name}` ({spec.summary}); options: {options}; seed {about['seed']}.\n"
        f"{about['parameters']['merged']:,} parameters merged, "
        f"{about['parameters']['kept_of_base']:,} are the base's.\n\n"
        f"Method: {spec.citation or 'own'}. No user data was read: weights only (tier T0).\n\n"
        f"| role | file | SHA-256 |\n|---|---|---|\n{files}\n\n"
        f"Its licence follows from those of the base and the experts.\n"
    )

