"""RecBole's sequential models as backbones, by name: ``recbole:SASRec`` and eleven others.

Idea: RecBole's implementation of the model is used as it is. Its item table is replaced by one
for each domain, so that it can be merged and compared. This package trains and ranks it like its
own models.

A net is RecBole's module as RecBole draws it, its item embedding replaced by a table for each
domain (`net.ScopedItems`). It is trained by this package's trainer with RecBole's loss: on the
states after all events of a window where the model has them, else on one prefix of each window,
drawn anew at every step (`objectives`). Windows of RecBole are all prefixes of all histories, 20 to
50 times as many; its optimizer is Adam. A checkpoint of RecBole's own training ranks here as it
does there (`checkpoint`); our backbones run inside RecBole (`inside`).

RecBole 1.2.1 is needed, on Python 3.12 and newer without its pinned dependencies; `fence.NEEDED`
has what its models import, and ``recmerge-bench doctor`` says what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench_plugins.backbones.recbole_models.fence import NEEDED
from recmerge_bench_plugins.backbones.recbole_models.models import BY_NAME, RUNNING, Model

from recmerge_bench.api import Backbone, BackboneSpec, Batch, Catalogue, Check, Spec, hookimpl

if TYPE_CHECKING:
    from torch import Tensor, nn

Name = Literal[
    "GRU4Rec", "SASRec", "NARM", "SRGNN", "GCSAN", "CORE", "STAMP", "LightSANs", "NextItNet",
    "FEARec", "SINE", "BERT4Rec",
]  # fmt: skip


def _spec(model: Model) -> Spec:
    how = f"trained on {model.training}"
    check = Check(
        f"RecBole 1.2.1's {model.name}: scores of the same weights, in float32",
        "tests/plugins/test_recbole_models.py::test_scores_are_recboles",
        "1e-5",
    )
    return BackboneSpec(
        f"recbole:{model.name}",
        f"{__name__}:RecBoleModel",
        f"RecBole's {model.name}, {how}",
        options={"model": model.name},
        requires=tuple(NEEDED.values()),
        fidelity="code-verified",
        checks=(check,),
        citation=f"Zhao et al., RecBole, CIKM 2021; {model.citation}",
    )


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """The models of RecBole that run."""
    return [_spec(model) for model in RUNNING]


@dataclass(frozen=True)
class RecBoleOptions:
    """Options of RecBole's models.

    Attributes:
        model: name of RecBole's class.
        width: width of item vectors: RecBole's ``embedding_size``, or ``hidden_size`` where a
            model has no other.
        max_len: number of latest events that are used: ``MAX_ITEM_LIST_LENGTH``.
        init: item tables as RecBole draws the model's, or from the items' ``text``.
        std: standard deviation of item vectors from text.
        last_share: share of the windows in which BERT4Rec masks the last event alone; RecBole does
            so in half of its batches.
        settings: RecBole's own settings of the model by its names (``n_layers``,
            ``hidden_dropout_prob``, ...), laid over RecBole's file of the model.
    """

    model: Name = "GRU4Rec"
    width: int = 64
    max_len: int = 50
    init: Literal["recbole", "text"] = "recbole"
    std: float = 0.02
    last_share: float = 0.5
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from recmerge_bench_plugins.backbones.recbole_models.settings import check_settings

        check_settings(self.model, self.settings)


class RecBoleModel(Backbone):
    """A sequential model of RecBole; see `models` for all of them."""

    Options = RecBoleOptions
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain", "biases.": "domain"}

    @property
    def facts(self) -> Model:
        """How the model is trained, and what to know of it."""
        return BY_NAME[self.options.model]

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """RecBole's module with our tables.

        Raises:
            Blocked: RecBole, or a package that it imports, is not installed.
        """
        from recmerge_bench_plugins.backbones.recbole_models.fence import require
        from recmerge_bench_plugins.backbones.recbole_models.net import RecBoleNet
        from recmerge_bench_plugins.backbones.recbole_models.settings import settings_of

        require()
        o = self.options
        settings = settings_of(o.model, o.width, o.max_len, o.settings)
        return RecBoleNet(
            catalogue, domains, seed, model=o.model, settings=settings, init=o.init, std=o.std
        )

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """RecBole's loss of the model."""
        from recmerge_bench_plugins.backbones.recbole_models import objectives

        if self.facts.training == "all positions":
            return objectives.all_positions(net, batch)
        if self.facts.training == "one prefix":
            return objectives.one_prefix(net, batch)
        ratio = net.core.mask_ratio
        return objectives.masked_items(net, batch, ratio, self.options.last_share)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """What RecBole multiplies with the items' vectors."""
        scope = net.tables.narrowest(histories, domain)
        return net.users(histories, lengths, scope)  # type: ignore[no-any-return]

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's table; CORE's normed and divided by its temperature, BERT4Rec's biases."""
        from torch.nn import functional as F

        table = net.tables.domain_table(domain)
        if self.options.model == "CORE":
            return F.normalize(table, dim=-1) / net.core.temperature, None
        if self.facts.training == "masked items":
            return table, net.biases.domain_table(domain).squeeze(1)
        return table, None

    def max_history(self) -> int:
        """`max_len`; a window of masked items has its target among them."""
        masks = self.facts.training == "masked items"
        return int(self.options.max_len) - masks

    def encoded_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)
