"""How records of older schemas are brought to the present one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench import schema_numbers
from recmerge_bench.errors import DataError
from recmerge_bench.results.shared_values import spread
from recmerge_bench.statistics.verdicts import NONE, UNRECORDED, few_seeds, few_users


def migrated(raw: Any, path: Path, newest: int | None = None) -> dict[str, Any]:
    """Records or costs of any known schema, as the present one has them.

    Args:
        raw: what JSON gave.
        path: of the file.
        newest: the present schema: of records if not given, or `schema_numbers.COSTS`.

    Raises:
        DataError: they are of none.
    """
    if not isinstance(raw, Mapping) or "schema" not in raw:
        raise DataError("no records of a suite: lacks schema", path)
    schema = raw["schema"]
    newest = schema_numbers.RECORDS if newest is None else newest
    if not isinstance(schema, int) or not 1 <= schema <= newest:
        raise DataError(f"schema {schema!r} is unknown; this version reads 1 to {newest}", path)
    records = spread(raw, path)
    for version in range(schema, newest):
        records = {**MIGRATIONS[version](records), "schema": version + 1}
    return records


def _audited(old: dict[str, Any]) -> dict[str, Any]:
    """From 1 to 2: records have audits, of which nothing is known; costs have more numbers."""
    header, results = old.get("header"), old.get("results")
    if isinstance(header, Mapping):
        return {**old, "header": {"audits": {}, "pretraining": {}, **header}}
    if not isinstance(results, list):
        return old
    new = {"parameters": None, "joules": None}
    return {**old, "results": [{**new, **r} if isinstance(r, Mapping) else r for r in results]}


def _configured(old: dict[str, Any]) -> dict[str, Any]:
    """From 2 to 3: results have a configuration, which is not recorded."""
    results = old.get("results")
    if not isinstance(old.get("header"), Mapping) or not isinstance(results, list):
        return old
    new = {"configuration": None, "configuration_sha256": ""}
    return {**old, "results": [{**new, **r} if isinstance(r, Mapping) else r for r in results]}


def _judged(old: dict[str, Any]) -> dict[str, Any]:
    """From 2 to 3: no verdict is a state of its own; nothing is known of these models' verdicts."""
    families = old.get("comparisons")
    if not isinstance(families, list):
        return old
    return {**old, "comparisons": [_family(f) if isinstance(f, Mapping) else f for f in families]}


def _family(family: Mapping[str, Any]) -> dict[str, Any]:
    rows = family.get("rows")
    if not isinstance(rows, list):
        return dict(family)
    return {**family, "rows": [_row(r) if isinstance(r, Mapping) else r for r in rows]}


def _row(old: Mapping[str, Any]) -> dict[str, Any]:
    models, methods = old.get("trained_models"), old.get("methods")
    if "about_methods" in old or not isinstance(models, Mapping):
        return dict(old)
    if not isinstance(old.get("seeds"), list):
        return dict(old)
    kept = {k: v for k, v in old.items() if k not in ("verdict", "p_holm")}
    seeds, users = old["seeds"], old.get("users")
    few = few_users(users if isinstance(users, int) else 0)
    reason = ", ".join(filter(None, [few_seeds(len(seeds), bool(seeds)), few]))
    unknown = dict.fromkeys(("p", "level", "lower", "upper"))
    about_methods: dict[str, Any] = {"verdict": NONE, "reason": reason or UNRECORDED, **unknown}
    if not reason and isinstance(methods, Mapping):
        ends = {k: methods.get(k) for k in ("lower", "upper")}
        about_methods = {
            "verdict": old.get("verdict"), "reason": "", "p": old.get("p_holm"), "level": 0.95,
            **ends,
        }  # fmt: skip
    return {
        **kept, "difference": models.get("difference"), "about_methods": about_methods,
        "about_models": {"verdict": UNRECORDED, "reason": "", **unknown},
    }  # fmt: skip


#: schema -> what turns records of that schema into those of the next one. Raising
#: `schema_numbers.RECORDS` means adding an entry here (and a file of the old schema to the tests).
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _audited,
    2: lambda old: _judged(_configured(old)),
    # From 3 to 4: configurations stand once in the file (`results.shared_values`), or, as before,
    # in their results.
    3: lambda old: old,
}
