"""What a trained model's file has to hold: the model, and all that its training goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor

from recmerge_bench.conformance.model_subject import ModelSubject
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.subject import as_arrays, difference
from recmerge_bench.training.prepared import prepare, prepares, stored


@requirement(
    "checkpoint",
    "a stored model scores as the trained one did, and an interrupted training ends in the same "
    "bytes",
    why="trainings are resumed after any interruption, and ranking loads what training stored",
    remedy="keep all that training changes in parameters or buffers (register_buffer), nothing in "
    "attributes of the definition or the net; draw from batch.generator",
)
def checkpoint(subject: ModelSubject) -> None:
    """Through a file into a new net; stopped after two steps and gone on with."""
    from safetensors.torch import load_file, save_file

    result = subject.trained()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file({n: t.contiguous() for n, t in result.state.items()}, str(path))
        again = _ranked_again(subject, load_file(str(path)), path)
    known = result.report["best_valid"]
    if known is not None and abs(known - again) > 1e-6:
        raise Unmet(
            f"validation NDCG@10 was {known:.6f} when it was trained and is {again:.6f} when it "
            "is loaded from its file"
        )
    _resumed(subject)


def _ranked_again(subject: ModelSubject, state: Mapping[str, Tensor], path: Path) -> float:
    """As ranking loads it: what was prepared is there where the policy keeps it."""
    kept = stored(state, path) if prepares(subject.definition) else {}
    net = subject.loaded(state, prepared=kept)
    try:
        return subject.validated(net)
    except AttributeError as error:
        if kept or not prepare(subject.definition, subject.split, subject.catalogue,
                               subject.domains):  # fmt: skip
            raise
        raise Unmet(
            f"its policy drops what prepare() gives ('prepared.'), and when it ranks: {error}",
            "a model that reads net.prepared when it ranks keeps it: say policy = {'tables.': "
            "'domain'}; or read it in loss() alone",
        ) from None


class _Stopped(Exception):
    """A training that is interrupted."""


def _resumed(subject: ModelSubject) -> None:
    def stop(state: dict[str, Any]) -> None:
        if state["step"] >= 2:
            raise _Stopped

    options = {"save_every": 1, "report_every": 1}

    def trained(**more: Any) -> Mapping[str, Tensor]:
        return subject.train(4, definition=subject.again(), options=options, **more).state

    straight = trained()
    with TemporaryDirectory() as folder:
        with suppress(_Stopped):
            trained(progress=stop, resume_dir=Path(folder))
        gone_on = trained(resume_dir=Path(folder))
    if fault := difference(as_arrays(straight), as_arrays(gone_on)):
        raise Unmet(f"a training that was interrupted ends elsewhere: {fault}")


__all__ = ["checkpoint"]
