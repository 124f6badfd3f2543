"""Records as one file to send: packed to equal bytes, unpacked with every hash checked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recmerge_bench import schema_numbers
from recmerge_bench._version import __version__
from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import written_aside
from recmerge_bench.results.records import Records
from recmerge_bench.submissions.untrusted import MARKUP, extract
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import suite_flaw, within

END = ".rmb.tar.gz"
MANIFEST = "manifest.json"
#: Ends of the names of a bundle's files -> bytes that they may have.
LIMITS = {
    ".cost.json": 32 << 20, ".curves.json": 32 << 20, ".groups.json": 32 << 20,
    ".ranks.parquet": 512 << 20, ".json": 32 << 20,
}  # fmt: skip
NEEDED = (".json", ".cost.json", ".ranks.parquet")
CONTACT = 200


class File(BaseModel):
    """A file of a bundle."""

    model_config = ConfigDict(strict=True, extra="forbid")
    sha256: str
    size: int


class Manifest(BaseModel):
    """``manifest.json`` of a bundle: what is in it and where it comes from."""

    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=True)
    schema_: int = Field(schema_numbers.BUNDLE, alias="schema")
    suite: str
    records_schema: int
    package: str
    results: int
    protocols: list[str]
    data: list[str]
    candidates: list[str]
    plugins: dict[str, str]
    libraries: dict[str, str]
    contact: str
    note: str
    files: dict[str, File]


def _check_line(option: str, text: str) -> None:
    if len(text) > CONTACT or not text.isprintable() or re.search(r"[<>`|]|\]\(", text):
        raise HandledError(
            f"--{option} is one line of at most {CONTACT} characters without < > ` | and ]("
        )


def manifest_of(records: Records, files: Sequence[Path], contact: str, note: str) -> Manifest:
    """What a bundle of these records says of itself.

    Raises:
        HandledError: contact or note is long, not one plain line, or holds marks of markup.
    """
    _check_line("contact", contact)
    _check_line("note", note)
    results = records.results
    return Manifest(
        schema=schema_numbers.BUNDLE, suite=records.suite, records_schema=schema_numbers.RECORDS,
        package=__version__,
        results=len(results),
        protocols=sorted({r.identity.protocol for r in results}),
        data=sorted({r.data for r in results}),
        candidates=sorted({r.candidates for r in results}),
        plugins=_versions(r.plugins for r in results),
        libraries=_versions(r.libraries for r in results), contact=contact, note=note,
        files={f.name: File(sha256=sha256(f), size=f.stat().st_size) for f in files},
    )  # fmt: skip


def _versions(named: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Name -> all versions of it, by name."""
    versions_by_name: dict[str, set[str]] = {}
    for versions in named:
        for name, version in versions.items():
            versions_by_name.setdefault(name, set()).add(version)
    return {name: ", ".join(sorted(versions_by_name[name])) for name in sorted(versions_by_name)}


def write_bundle(manifest: Manifest, files: Sequence[Path], to: Path) -> Path:
    """Write ``<suite>-<hash>.rmb.tar.gz``; equal files give equal bytes (with one zlib).

    The hash in the name is that of the manifest, which has the hashes of all else.
    """
    text = json.dumps(manifest.model_dump(by_alias=True), sort_keys=True, indent=1).encode() + b"\n"
    short = hashlib.sha256(text).hexdigest()[:12]
    path = within(to, f"{manifest.suite}-{short}{END}")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        members = [(MANIFEST, text), *((f.name, f.read_bytes()) for f in sorted(files))]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    with (
        written_aside(path) as aside,
        open(aside, "wb") as out,
        gzip.GzipFile("", "wb", 9, out, mtime=0) as packed,
    ):
        packed.write(raw.getvalue())
    return path


def limit_of(name: str) -> int:
    """Bytes that a bundle's file of this name may have; 0: no file of a bundle is called so."""
    if name == MANIFEST:
        return 1 << 20
    end = next((e for e in LIMITS if name.endswith(e)), "")
    return LIMITS[end] if end and not suite_flaw(name.removesuffix(end)) else 0


def unpack(bundle: Path, folder: Path) -> tuple[Manifest, str]:
    """Unpack a stranger's bundle into an empty folder; its manifest, and the manifest's SHA-256.

    Raises:
        HandledError: it is no bundle, or not the one that its manifest describes.
    """
    if not bundle.is_file():
        raise HandledError(f"no such bundle: {bundle}; `recmerge-bench submit` writes one")
    names = extract(bundle, folder, limit_of)
    if MANIFEST not in names:
        raise HandledError(f"{bundle}: lacks {MANIFEST}; `recmerge-bench submit` writes bundles")
    try:
        manifest = Manifest.model_validate(read_json(folder / MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{place}: {first['msg']}", f"{bundle}/{MANIFEST}") from None
    except DataError as error:
        raise HandledError(f"{bundle}: {error}") from None
    _check(bundle, folder, manifest, names)
    return manifest, sha256(folder / MANIFEST)


def _check(bundle: Path, folder: Path, manifest: Manifest, names: Sequence[str]) -> None:
    if manifest.schema_ != schema_numbers.BUNDLE:
        raise HandledError(
            f"{bundle}: a bundle of schema {manifest.schema_}, this version reads "
            f"{schema_numbers.BUNDLE}"
        )
    if flaw := suite_flaw(manifest.suite):
        raise HandledError(f"{bundle}: {flaw}")
    if sorted(manifest.files) != sorted(set(names) - {MANIFEST}):
        raise HandledError(f"{bundle}: its files are not those that its manifest names")
    admitted = {f"{manifest.suite}{end}" for end in LIMITS}
    needed = {f"{manifest.suite}{end}" for end in NEEDED}
    if not needed <= set(manifest.files) <= admitted:
        raise HandledError(f"{bundle}: has to hold {', '.join(sorted(needed))}")
    for name, described in manifest.files.items():
        file = within(folder, name)
        if file.stat().st_size != described.size or sha256(file) != described.sha256:
            raise HandledError(f"{bundle}: {name} is not the file that its manifest describes")
    _check_texts(bundle, manifest)


def _check_texts(bundle: Path, manifest: Manifest) -> None:
    """Contact and note are short plain lines.

    Raises:
        HandledError: one is not.
    """
    for text in (manifest.contact, manifest.note):
        if len(text) > CONTACT or not text.isprintable() or "|" in text:
            raise HandledError(f"{bundle}: contact and note are plain lines without |")
        if MARKUP.search(text.replace("://", "")):
            raise HandledError(f"{bundle}: contact and note hold no < > ` and ](")
