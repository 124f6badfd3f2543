"""Stored lists -> values of list metrics, by domain: made once, beside the ranks."""

from __future__ import annotations

import traceback
from typing import Any

from recmerge_bench.blame import plugin_fault
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import PluginError
from recmerge_bench.evaluation.top_lists import LISTS, MASKED_LISTS, read_lists
from recmerge_bench.options import CompleteOptions
from recmerge_bench.running.context import Context, with_text
from recmerge_bench.running.list_values import NoTexts, RankedLists


def run(context: Context) -> dict[str, Any]:
    """Every metric of ``config["metrics"]`` of each domain that has test targets.

    The record's report has ``lists``: domain -> metric -> value. A metric that has no value of one
    of the domains has none of all, and its reason instead: in ``absent`` (metric -> reason), or,
    where its code failed, in ``failed`` (metric -> ``error`` and ``traceback``). The others keep
    their values.
    """
    split, config = context.split(), context.config
    place = context.inputs["rank"] / (MASKED_LISTS if config["masked"] else LISTS)
    lists = RankedLists(read_lists(place, len(split.test)), split.test, split, config["domains"])
    values: dict[str, dict[str, float]] = {}
    absent: dict[str, str] = {}
    failed: dict[str, dict[str, str]] = {}
    for asked in config["metrics"]:
        name = asked["name"]
        try:
            metric = CompleteOptions.read(asked).definition()
            by_domain = lists.values(metric, asked["k"], _catalogue(context, asked["text"]))
        except NoTexts as reason:
            absent[name] = str(reason)
        except Exception as error:
            failed[name] = _failure(error)
        else:
            for domain, value in by_domain.items():
                values.setdefault(domain, {})[name] = value
    reasons = {"absent": absent, "failed": failed}
    return {"lists": values, **{kind: some for kind, some in reasons.items() if some}}


def _failure(error: Exception) -> dict[str, str]:
    """What to say of an error out of a metric's code; any other is raised again."""
    message = str(error) if isinstance(error, PluginError) else plugin_fault(error)
    if message is None:
        raise error
    return {"error": f"{type(error).__name__}: {message}", "traceback": _traceback(error)}


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _catalogue(context: Context, text: str) -> Catalogue:
    """The items; with the vectors of an input, where one is named."""
    data = context.interactions()
    return (with_text(data, context.inputs[text]) if text else data).catalogue
