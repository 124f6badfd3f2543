"""All sequential models of RecBole 1.2.1: which run here, how they are trained, why others do not.

Standard library alone: the specs are made from this. ``python -m
recmerge_bench_plugins.backbones.recbole_models`` prints it as a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: How a model is trained: on the states after all events of a window at once; on the one state
#: that it gives, of a prefix drawn anew for each window and epoch; on items that are masked.
Training = Literal["all positions", "one prefix", "masked items"]
#: Why a model does not run here.
Reason = Literal["user ids", "item features", "knowledge graph", "no product"]

REASONS: dict[str, str] = {
    "user ids": "reads a vector of each user's own; a backbone is handed histories alone",
    "item features": "reads features of items by field of RecBole's data set",
    "knowledge graph": "reads pre-trained vectors of a knowledge graph",
    "no product": "scores are no product of a user's and an item's vector, as a backbone's are",
}


@dataclass(frozen=True)
class Model:
    """A sequential model of RecBole.

    Attributes:
        name: its class.
        training: how it is trained here; None: it does not run.
        reads_padding: its state depends on what stands at padded positions, so that histories are
            always padded to ``max_len`` for it, as RecBole pads them.
        reason: why it does not run; None: it does.
        remark: what else to know of it.
        citation: its paper, one line.
    """

    name: str
    training: Training | None = None
    reads_padding: bool = False
    reason: Reason | None = None
    remark: str = ""
    citation: str = ""


def _lacks(reason: Reason, *names: str) -> tuple[Model, ...]:
    return tuple(Model(name, reason=reason) for name in names)


RUNNING: tuple[Model, ...] = (
    Model("GRU4Rec", "all positions", citation="Tan et al., Improved RNNs, DLRS 2016"),
    Model("SASRec", "all positions", citation="Kang & McAuley, SASRec, ICDM 2018"),
    Model("NARM", "one prefix", citation="Li et al., NARM, CIKM 2017"),
    Model("SRGNN", "one prefix", citation="Wu et al., SR-GNN, AAAI 2019"),
    Model("GCSAN", "one prefix", citation="Xu et al., GC-SAN, IJCAI 2019"),
    Model("CORE", "one prefix", citation="Hou et al., CORE, SIGIR 2022"),
    Model(
        "STAMP", "one prefix", True,
        remark="attends to padded positions too",
        citation="Liu et al., STAMP, KDD 2018",
    ),
    Model(
        "LightSANs", "one prefix", True,
        remark="attends to padded positions too",
        citation="Fan et al., LightSANs, SIGIR 2021",
    ),
    Model(
        "NextItNet", "one prefix", True,
        remark="its state is the last position's, which is padding unless the history is full",
        citation="Yuan et al., NextItNet, WSDM 2019",
    ),
    Model(
        "FEARec", "one prefix", True,
        remark="without its contrast with sequences of the same target, which RecBole looks up in "
        "its data set",
        citation="Du et al., FEARec, SIGIR 2023",
    ),
    Model(
        "SINE", "one prefix", True,
        remark="attends to padded positions too",
        citation="Tan et al., SINE, WSDM 2021",
    ),
    Model(
        "BERT4Rec", "masked items",
        remark="drops the oldest event when it is asked, as RecBole's does; masks are drawn here",
        citation="Sun et al., BERT4Rec, CIKM 2019",
    ),
)  # fmt: skip

MODELS: tuple[Model, ...] = (
    *RUNNING,
    *_lacks(
        "user ids", "Caser", "FOSSIL", "FPMC", "HGN", "HRM", "NPE", "SHAN", "TransRec"
    ),
    *_lacks("item features", "DIEN", "DIN", "FDSA", "GRU4RecF", "S3Rec", "SASRecF"),
    *_lacks("knowledge graph", "GRU4RecKG", "KSR"),
    *_lacks("no product", "GRU4RecCPR", "RepeatNet", "SASRecCPR"),
)  # fmt: skip

BY_NAME: dict[str, Model] = {model.name: model for model in MODELS}


def table(models: Iterable[Model] = MODELS) -> str:
    """The models as a Markdown table."""
    lines = [
        "| model | runs | trained on | reads padding | why not; what to know |",
        "|" + "---|" * 5,
    ]
    lines += [f"| {' | '.join(_cells(model))} |" for model in models]
    return "\n".join(lines)


def _cells(model: Model) -> tuple[str, ...]:
    if model.reason is not None:
        return (model.name, "no", "", "", REASONS[model.reason])
    padding = "yes" if model.reads_padding else "no"
    return (f"`recbole:{model.name}`", "yes", model.training or "", padding, model.remark)
