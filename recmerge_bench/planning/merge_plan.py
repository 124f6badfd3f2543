"""What a merge file may say: every key with its type; unknown keys are errors with a near name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recmerge_bench.docstrings import attributes, summary
from recmerge_bench.errors import DataError, near
from recmerge_bench.planning.faults import in_words
from recmerge_bench.yaml_text import near_line, read_yaml

Action = Literal["merge", "base", "drop", "concatenate"]


class Strict(BaseModel):
    """No conversions, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Earlier(Strict):
    """The model that a merge further up in the file makes.

    Attributes:
        merge: its name.
    """

    merge: str


class ExpertUse(Strict):
    """An expert and how much it counts.

    Attributes:
        path: a file or a folder; from the merge file's folder where it is relative.
        merge: a merge further up in the file, in the place of a path.
        weight: its task vector is multiplied by this before the method sees it.
        layers: pattern of parameter names (``encoder.layer.[0-5].*``) -> the weight there; the
            longest pattern that matches wins.
    """

    path: str | None = None
    merge: str | None = None
    weight: float = 1.0
    layers: dict[str, float] = {}

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.merge is None):
            raise ValueError("an expert has a 'path', or the name of a 'merge' further up")
        return self


class MergeStep(Strict):
    """A merge.

    Attributes:
        name: by which merges further down take its model.
        method: a merge strategy of data tier T0 (weights alone).
        options: its options.
        base: the experts' shared base: a path, or a merge further up; none where adapters are
            merged to an adapter.
        experts: at least one, each a path or with its weights.
        normalize: divide the experts' weights by their mean, parameter by parameter: averages of
            models are then weighted averages.
        policy: parameter-name prefix -> what becomes of it.
        dtype: of the result, such as bfloat16.
        max_shard_size: of a folder's weight files, such as 5GB.
        allow_pickle: read .bin files too, by torch.load(weights_only=True).
        adapters: what the method sees of adapters without a base.
        rank: of the merged adapter.
        seed: for methods that draw.
        out: where the model goes; a merge without it is for those further down, and removed.
    """

    name: str | None = None
    method: str
    options: dict[str, Any] = {}
    base: str | Earlier | None = None
    experts: Annotated[list[str | ExpertUse], Field(min_length=1)]
    normalize: bool = False
    policy: dict[str, Action] = {}
    dtype: str | None = None
    max_shard_size: str | int | None = None
    allow_pickle: bool = False
    adapters: Literal["products", "factors", "knots"] | None = None
    rank: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    out: str | None = None

    def uses(self) -> list[ExpertUse]:
        """The experts, those that are a path alone as well."""
        return [ExpertUse(path=e) if isinstance(e, str) else e for e in self.experts]

    def earlier(self) -> list[str]:
        """Names of the merges that it takes models of."""
        own = [self.base.merge] if isinstance(self.base, Earlier) else []
        return own + [e.merge for e in self.uses() if e.merge is not None]


class MergePlan(Strict):
    """A merge file: merges that are made one after the other.

    Attributes:
        merges: in their order; the last has an ``out``.
    """

    merges: Annotated[list[MergeStep], Field(min_length=1)]

    @model_validator(mode="after")
    def _chained(self) -> Self:
        known: list[str] = []
        for number, step in enumerate(self.merges):
            whose = f"merges.{number}"
            for name in step.earlier():
                if name not in known:
                    raise ValueError(f"{whose}: no merge further up is named '{name}'"
                                     f"{near(name, known)}")  # fmt: skip
            if step.name is not None:
                if step.name in known:
                    raise ValueError(f"{whose}: a merge further up is named '{step.name}' too")
                known.append(step.name)
            used = any(step.name in later.earlier() for later in self.merges[number + 1 :])
            if step.out is None and not used:
                raise ValueError(f"{whose}: it has no 'out', and no merge further down takes it")
        return self


def read_merge_plan(path: Path) -> MergePlan:
    """Read a merge file.

    Raises:
        DataError: it cannot be read, or says what it may not; with the line where known.
    """
    document = read_yaml(path)
    try:
        return MergePlan.model_validate(document.value)
    except ValidationError as error:
        # A key that is missing may be the one that is misspelt; what may be a text or a mapping
        # is wrong as the mapping that it is.
        fault = max(
            error.errors(),
            key=lambda f: (f["type"] == "extra_forbidden", f["type"] != "string_type",
                           len(f["loc"])),
        )  # fmt: skip
        place = tuple(p for p in fault["loc"] if not str(p).endswith(_CHOICES))
        message = in_words(fault)
        if fault["type"] == "extra_forbidden":
            message = f"unknown key{near(str(place[-1]), _KEYS)}"
        lines = {where: str(line) for where, line in document.lines.items()}
        line = near_line(lines, place)
        dotted = ".".join(map(str, place))
        raise DataError(
            f"{dotted}: {message}" if dotted else message, path, int(line) if line else None
        ) from None


#: What pydantic puts into places of values that may be of several kinds.
_CHOICES = ("str", Earlier.__name__, ExpertUse.__name__, f"{ExpertUse.__name__}]")
_KEYS = [k for m in (MergePlan, MergeStep, ExpertUse) for k in m.model_fields]


def merge_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a merge file."""
    schema = MergePlan.model_json_schema(mode="validation")
    models: dict[str, type] = {m.__name__: m for m in (Earlier, ExpertUse, MergeStep)}
    for name, part in [(MergePlan.__name__, schema), *schema["$defs"].items()]:
        model = models.get(name, MergePlan)
        part["description"] = summary(model.__doc__ or "")
        for key, text in attributes(model.__doc__ or "").items():
            part["properties"][key]["description"] = text
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", **schema,
        "title": "RecMerge-Bench merge file",
    }  # fmt: skip
