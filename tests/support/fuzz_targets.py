"""The borders where strangers' bytes come in: each damages a good sample and asks the command."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boards_builders as made
import merit_builders as merit
import pyarrow.parquet as pq
import submission_builders as sent
import torch
from fuzzing import ODD, Mutator, asked, flaw, names
from recmerge_bench_plugins.datasets.amazon_mergerec.released import read_domain
from recmerge_bench_plugins.datasets.amazon_merit.pairs import build, read_release
from recmerge_bench_plugins.datasets.amazon_merit.ratings import read_first
from released_builders import archive, small
from safetensors.torch import load, save, save_file

from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.planning import references
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import render_suite
from recmerge_bench.results.groups import Group, groups_json
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.submissions.submission import submit
from recmerge_bench.toolkit.data.atomic import read_folder

Files = dict[str, bytes]
#: A border: damages its sample in an empty folder and says what went wrong.
Target = Callable[[Mutator, Path], str]

#: Options of a small net.
NET = ("width=8", "layers=1", "heads=1", "max_len=4", "negatives=4")
SUITE = """
name: fuzzed
title: A suite
label: smoke
seeds: [0, 1]
metrics: [NDCG@10, MRR]
figures:
  one: {kind: option, title: x, tracks: [merging], option: scale}
tracks:
  merging:
    dataset: ml-100k
    domains: [action, romance]
    source: drama
    protocols: [loo, loo-sampled-99]
    reference: fine-tune
    training: {steps: 12, epochs: 0, eval_every: -1, batch_size: 16}
    backbones:
      sasrec: {options: {width: 16, layers: 1, heads: 1, max_len: 10}}
    rows:
      - popularity
      - fine-tune
      - {method: task-arithmetic, options: {scale: 0.5}, variant: mine}
      - {method: ties, backbones: [sasrec], recipe: fixed}
"""
INTER = "user_id:token\titem_id:token\ttimestamp:float\tdomain:token\n" + "".join(
    f"u{u}\ti{(u * 3 + n) % 7}\t{n + 1}\t{'a' if (u * 3 + n) % 7 < 4 else 'b'}\n"
    for u in range(5)
    for n in range(6)
)


class Borders:
    """Samples, made once, and the borders by name.

    Args:
        home: an empty folder.
        registry: of all plugins.
    """

    def __init__(self, home: Path, registry: Registry) -> None:
        self.home, self.registry = home, registry
        methods = {"own": 0.5, "average": 0.1, "ties": 0.2}
        path = sent.write_suite(home / "records", registry, methods)
        curve = {"key": "c" * 64, "identity": made.identity("average", 0), "domains": ["books"],
                 "groups": 1, "weights": [{"step": 0, "mean": [0.3]}],
                 "points": [{"step": 0, "domains": {"books": {"NDCG@10": 0.1, "entropy": 1.0,
                                                              "cross_entropy": 2.0}}}]}  # fmt: skip
        write_json(home / "records" / "fake.curves.json",
                   {"schema": 1, "suite": "fake", "curves": [curve]})  # fmt: skip
        half = torch.arange(2 * sent.USERS).numpy() % 2 == 0
        groups = groups_json("fake", {sent.SPLIT: [Group("history-1", "short", half)]})
        write_json(home / "grouped.json", groups)
        records = json.loads(path.read_text())
        records["header"]["figures"] = {
            kind: {"kind": kind, "title": kind, "tracks": [], "methods": [], "option": "scale"}
            for kind in ("course", "weights", "option", "experts", "probes", "comparison")
        }
        records["results"][0]["probes"] = {"books": {"gate": {"mean": 0.5, "std": 0.1, "users": 3}}}
        write_json(path, records)
        self.records = sent_files(home / "records")
        theirs = sent.write_suite(home / "theirs", registry, {"mine": 0.6})
        bundle, _ = submit(theirs, home, registry)
        self.bundle = sent.members(bundle)
        self.raw = gzip.decompress(bundle.read_bytes())
        boards = home / "boards"
        sent.write_suite(boards / "records", registry, methods)
        render_suite(boards / "records", "fake", boards)
        made.run_folder(home / "run")
        self.run = sent_files(home / "run")
        shutil.copytree(home / "run" / "store", home / "cells" / "store")
        self.cells = sent_files(home / "cells")
        merit.write_release(home / "merit")
        self.merit = sent_files(home / "merit")
        weights = {"a": torch.ones(3, 2), "b": torch.zeros(4)}
        for n in range(3):
            save_file({k: v + n for k, v in weights.items()}, home / f"m{n}.safetensors")
        given = home / "given"
        written({"x.inter": INTER.encode()}, given)
        events = read_folder(given)
        spec, options = registry.get("backbone", "sasrec"), dict(word.split("=") for word in NET)
        model = complete(spec, {k: int(v) for k, v in options.items()}, "here").definition()
        net = model.build(events.catalogue, events.catalogue.domains, 0)
        save_file(dict(net.state_dict()), home / "net.safetensors")
        self.options = [
            (kind, name, field)
            for (kind, name), spec in sorted(registry.specs.items())
            if hasattr(spec, "options") and kind not in ("suite", "metric")
            for field in _fields(spec)
        ]
        self.paper = {end: (Path(references.__file__).parents[2] / "benchmarks" / "paper"
                            / f"merit{end}").read_bytes() for end in (".yaml", ".csv")}  # fmt: skip

    def all(self) -> dict[str, Target]:
        """Name -> border."""
        return {name.removeprefix("on_"): getattr(self, name)
                for name in dir(self) if name.startswith("on_")}  # fmt: skip

    def on_bundles(self, mutator: Mutator, folder: Path) -> str:
        """A bundle with a damaged file and an honest manifest; a refusal changes nothing."""
        files, name = dict(self.bundle), mutator.random.choice(list(self.bundle))
        files[name] = self._file(mutator, name, files[name], folder)
        honest = name != "manifest.json" and mutator.random.random() < 0.9
        try:
            bundle = sent.again(files, folder / "b.rmb.tar.gz", honest)
        except ValueError:
            bundle = sent.again(files, folder / "b.rmb.tar.gz", False)
        return self._added(bundle, folder)

    def on_bundle_bytes(self, mutator: Mutator, folder: Path) -> str:
        """Bytes of a bundle's tar, or of its gzip."""
        bundle = folder / "b.rmb.tar.gz"
        if mutator.random.random() < 0.7:
            bundle.write_bytes(gzip.compress(mutator.text(self.raw), 1))
        else:
            bundle.write_bytes(mutator.text(gzip.compress(self.raw, 1)))
        return self._added(bundle, folder)

    def _added(self, bundle: Path, folder: Path) -> str:
        boards = folder / "deep" / "boards"
        shutil.copytree(self.home / "boards", boards)
        before = sent.tree(boards)
        code, output = asked("leaderboard", "add", bundle, "--to", boards)
        if code and sent.tree(boards) != before:
            return "a refused bundle changed the boards"
        if set(names(folder)) - {"b.rmb.tar.gz", *(f"deep/boards/{n}" for n in sent.tree(boards))}:
            return "files outside of the boards"
        return flaw(code, output)

    def on_records(self, mutator: Mutator, folder: Path) -> str:
        """A folder of records with a damaged file, under every command that reads one."""
        files, name = dict(self.records), mutator.random.choice(list(self.records))
        files[name] = self._file(mutator, name, files[name], folder)
        records = folder / "r" / "records"
        written(files, records)
        command = mutator.random.choice(
            [
                ("leaderboard", "build", "--records", records, "--to", folder / "r"),
                ("leaderboard", "check", folder / "r"),
                ("leaderboard", "site", "--records", records, "--to", folder / "r" / "site"),
                ("leaderboard", "export", "--records", records, "--suite", "fake", "--to",
                 folder / "r" / "x", "--format", mutator.random.choice(
                     ["csv", "parquet", "latex", "results", "trec"])),
                ("leaderboard", "compare", records / "fake.json",
                 self.home / "records" / "fake.json"),
                ("submit", records / "fake.json", "--to", folder / "r"),
                ("rerun", records / "fake.json", "--row", "method=average,seed=0", "-o",
                 folder / "r" / "s.yaml"),
            ]
        )  # fmt: skip
        code, output = asked(*command)
        if outside := [n for n in names(folder) if not n.startswith("r/")]:
            return f"files outside: {outside}"
        wrong = flaw(code, output)
        return f"{wrong} ({' '.join(map(str, command[:2]))})" if wrong else ""

    def on_runs(self, mutator: Mutator, folder: Path) -> str:
        """A run's folder with a damaged manifest, record or table; seals made to fit."""
        files, name = dict(self.run), mutator.random.choice(list(self.run))
        files[name] = self._file(mutator, name, files[name], folder)
        if name.endswith("record.json"):
            files[name] = resealed(files[name])
        elif name.startswith("store/") and mutator.random.random() < 0.9:
            files |= described(files, name)
        out = folder / "r" / "run"
        written(files, out)
        commands: list[tuple[Any, ...]] = [
            ("results", "--out", out), ("submit", out, "--to", folder / "r"),
            ("leaderboard", "build", "--out", out, "--to", folder / "r" / "boards"),
        ]  # fmt: skip
        code, output = asked(*mutator.random.choice(commands))
        if outside := [n for n in names(folder) if not n.startswith("r/")]:
            return f"files outside: {outside}"
        return flaw(code, output)

    def on_cells(self, mutator: Mutator, folder: Path) -> str:
        """An archive of cells with members renamed, damaged, of other types."""
        files = dict(self.cells)
        name = mutator.random.choice(list(files))
        kind = mutator.random.randrange(4)
        if kind == 0:
            odd = [n for n in ODD if isinstance(n, str) and n.isascii() and "\0" not in n]
            new = mutator.random.choice([*odd, f"{name}.chunk000", "store/.chunk000", f"../{name}",
                                         name.upper(), f"{name}/x", f"./{name}"])  # fmt: skip
            files[new[:99]] = files.pop(name)
        elif kind == 1:
            files[name] = self._file(mutator, name, files[name], folder)
            if name.endswith("record.json"):
                files[name] = resealed(files[name])
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for n, data in files.items():
                info, data = sent.entry(n, data)
                if kind == 2 and n == name:
                    info.type = mutator.random.choice([b"1", b"2", b"3", b"5", b"x", b"g", b"L"])
                    info.linkname = "/etc/passwd"
                tar.addfile(info, io.BytesIO(data))
        whole = raw.getvalue()
        given = folder / "given.tar"
        given.write_bytes(mutator.text(whole) if kind == 3 else whole)
        code, output = asked("cells", "adopt", given, "--out", folder / "a" / "out")
        if outside := [n for n in names(folder) if n != "given.tar" and not n.startswith("a/out/")]:
            return f"files outside: {outside}"
        return flaw(code, output)

    def on_suites(self, mutator: Mutator, folder: Path) -> str:
        """A suite's YAML, damaged as text or as a nest of values."""
        import yaml

        path = folder / "fuzzed.yaml"
        raw = SUITE.encode()
        if mutator.random.random() < 0.5:
            raw = mutator.text(raw)
        else:
            value = mutator.value(yaml.safe_load(raw))
            raw = json.dumps(value).encode("utf-8", "surrogatepass")
        path.write_bytes(raw)
        return flaw(*asked("plan", "--suite", path))

    def on_changes(self, mutator: Mutator, folder: Path) -> str:
        """``--set``, ``--seeds`` and ``--only`` of a suite."""
        path = folder / "fuzzed.yaml"
        path.write_text(SUITE)
        odd = mutator.random.choice(ODD)
        text = odd if isinstance(odd, str) else json.dumps(odd)
        text = text.replace("\0", "").encode("utf-8", "replace").decode()
        key = mutator.random.choice(
            ["threads", "name", "seeds", "metrics", "tracks.merging.rows",
             "tracks.merging.training", "tracks.merging.training.steps",
             "tracks.merging.backbones.sasrec.options.max_len",
             "figures.one.kind", "tracks", "timeout", "", ".", "tracks..x", "groups", "extends"]
        )  # fmt: skip
        more = mutator.random.choice([("--set", f"{key}={text}"), ("--seeds", text),
                                      ("--only", f"method={text}"), ("--only", text)])  # fmt: skip
        return flaw(*asked("plan", "--suite", path, *more))

    def on_options(self, mutator: Mutator, folder: Path) -> str:
        """Options of every definition, of wrong types and out of range."""
        kind, name, field = mutator.random.choice(self.options)
        spec, value = self.registry.get(kind, name), mutator.random.choice(ODD)
        try:
            complete(spec, {field: value}, "here").definition()
        except HandledError:
            return ""
        except Exception as error:
            return f"{kind} {name}.{field} = {value!r:.60}: {type(error).__name__}: {error}"[:300]
        return ""

    def on_atomic(self, mutator: Mutator, folder: Path) -> str:
        """A folder of RecBole's atomic files."""
        given = folder / "d" / "given"
        item = "item_id:token\ttitle:token_seq\tdomain:token\n" + "".join(
            f"i{n}\ttitle {n}\t{'a' if n < 4 else 'b'}\n" for n in range(7)
        )
        files = {"x.inter": INTER.encode(), "x.item": item.encode()}
        name = mutator.random.choice(list(files))
        files[name] = mutator.text(files[name])
        written(files, given)
        code, output = asked("datasets", "export", given, "--to", folder / "d" / "to")
        if outside := [n for n in names(folder) if not n.startswith("d/")]:
            return f"files outside: {outside}"
        return flaw(code, output)

    def on_merges(self, mutator: Mutator, folder: Path) -> str:
        """Checkpoints that are merged: headers as JSON, offsets, lengths, bytes."""
        paths = [folder / f"m{n}.safetensors" for n in range(3)]
        for n, path in enumerate(paths):
            shutil.copy(self.home / path.name, path)
            if n == 1:
                path.write_bytes(self._checkpoint(mutator, path.read_bytes()))
        method = mutator.random.choice(["ties", "average", "fisher", "task-arithmetic"])
        words = ["merge", "--method", method, "--base", *paths]
        words += ["-o", folder / "out.safetensors"]
        if mutator.random.random() < 0.3:
            odd = mutator.random.choice([o for o in ODD if not isinstance(o, str)])
            words += ["--set", f"scale={json.dumps(odd)}"]
        code, output = asked(*words)
        left = set(names(folder)) - {p.name for p in paths}
        if code and left:
            return f"a refused merge left {sorted(left)}"
        return flaw(code, output)

    def on_evaluations(self, mutator: Mutator, folder: Path) -> str:
        """A checkpoint, or the data, that `evaluate` is given, with odd options."""
        data = folder / "d" / "data"
        inter = INTER.encode()
        checkpoint, words = folder / "d" / "m.safetensors", list(NET)
        checkpoint.parent.mkdir()
        raw = (self.home / "net.safetensors").read_bytes()
        kind = mutator.random.randrange(4)
        if kind < 2:
            raw = self._checkpoint(mutator, raw)
        elif kind == 2:
            inter = mutator.text(inter)
        else:
            odd = mutator.random.choice([o for o in ODD if not isinstance(o, str)])
            name = mutator.random.choice(["width", "max_len", "heads", "layers", "x"])
            words = [w for w in words if not w.startswith(f"{name}=")]
            words += [f"{name}={json.dumps(odd)}"]
        written({"x.inter": inter}, data)
        checkpoint.write_bytes(raw)
        options = [part for word in words for part in ("--set", word)]
        code, output = asked("evaluate", checkpoint, "--backbone", "sasrec", "--dataset", data,
                           "--protocol", "loo", *options)  # fmt: skip
        return flaw(code, output)

    def _checkpoint(self, mutator: Mutator, raw: bytes) -> bytes:
        size = int.from_bytes(raw[:8], "little")
        if mutator.random.random() < 0.4:
            return retensored(mutator, raw)
        if mutator.random.random() < 0.4:
            return mutator.text(raw)
        header = mutator.json(raw[8 : 8 + size])
        claimed = mutator.random.choice([len(header)] * 8 + [0, 2**40, len(header) + 5])
        return claimed.to_bytes(8, "little") + header + raw[8 + size :]

    def on_released(self, mutator: Mutator, folder: Path) -> str:
        """MergeRec's archives."""
        files: dict[str, Any] = {n: json.dumps(v).encode() for n, v in small().items()}
        name = mutator.random.choice(list(files))
        files[name] = mutator.json(files[name])
        path = archive(folder / "t.tar.gz", files)
        if mutator.random.random() < 0.2:
            path.write_bytes(mutator.text(path.read_bytes()))
        return handled(lambda: read_domain(path, "toys"))

    def on_merit(self, mutator: Mutator, folder: Path) -> str:
        """MERIT's release."""
        files = dict(self.merit)
        name = mutator.random.choice(list(files))
        is_map = name.endswith(".json") or files[name][:1] == b"{"
        files[name] = (mutator.json if is_map else mutator.text)(files[name])
        written(files, folder)
        paths = sorted(folder.iterdir())
        order = {p.name: p for p in paths}
        given = merit_order(order)
        return handled(lambda: build(read_release(*given), ("food", "kitchen")))

    def on_ratings(self, mutator: Mutator, folder: Path) -> str:
        """A CSV of ratings."""
        path = folder / "r.csv"
        path.write_bytes(mutator.text(b"".join(b"U%d,I%d,5.0,%d\n" % (n, n % 5, 1000 + n)
                                               for n in range(20))))  # fmt: skip
        return handled(lambda: read_first(path))

    def on_papers(self, mutator: Mutator, folder: Path) -> str:
        """A paper's table: YAML and CSV."""
        files = dict(self.paper)
        end = mutator.random.choice(list(files))
        files[end] = mutator.text(files[end])
        for name, raw in files.items():
            (folder / f"p{name}").write_bytes(raw)
        file = folder / "p.yaml"
        return handled(lambda: references._numbers(folder / "p.csv", references._reference(file)))

    def _file(self, mutator: Mutator, name: str, raw: bytes, folder: Path) -> bytes:
        if name.endswith(".json"):
            return mutator.json(raw)
        if not name.endswith(".parquet") or mutator.random.random() < 0.5:
            return mutator.text(raw)
        return reshaped(mutator, raw)


def reshaped(mutator: Mutator, raw: bytes) -> bytes:
    """A valid Parquet file of another shape: rows, columns, types, values, metadata."""
    import pyarrow as pa

    table = pq.ParquetFile(io.BytesIO(raw)).read()
    kind = mutator.random.randrange(6)
    name = mutator.random.choice(table.column_names)
    at = table.column_names.index(name)
    if kind == 0:
        table = table.slice(0, mutator.random.randrange(len(table) + 1))
    elif kind == 1:
        table = table.drop_columns([name])
    elif kind == 2:
        values = table.column(name).to_pylist()
        values[mutator.random.randrange(len(values) or 1)] = mutator.random.choice(
            ["", "../x", None, "é" * 3000] if isinstance(values[0], str) else [None, -1, 2**31 - 1]
        )
        table = table.set_column(at, name, pa.array(values))
    elif kind == 3:
        table = table.rename_columns([f"{n}x" if n == name else n for n in table.column_names])
    elif kind == 4:
        table = pa.concat_tables([table] * mutator.random.choice([2, 50]))
    else:
        odd = mutator.random.choice([b"", b"[]", b"{", b'{"domains": 1, "about": []}', b"\xff"])
        table = table.replace_schema_metadata({b"recmerge_bench": odd})
    out = io.BytesIO()
    pq.write_table(table, out, compression=mutator.random.choice(["zstd", "snappy", "none"]))
    return out.getvalue()


def retensored(mutator: Mutator, raw: bytes) -> bytes:
    """A valid checkpoint with a tensor gone, renamed, reshaped, of another type or value."""
    tensors = load(raw)
    name = mutator.random.choice(list(tensors))
    old = tensors.pop(name)
    kind = mutator.random.randrange(7)
    names = [n for n in ODD if isinstance(n, str) and n.isprintable()]
    changed: dict[int, Any] = {
        1: old.reshape(-1), 2: old.reshape(*old.shape, 1), 3: torch.full_like(old, float("nan")),
        4: old.to(mutator.random.choice([torch.float16, torch.int64, torch.bool, torch.float64])),
        5: old[:0],
    }  # fmt: skip
    if kind:
        new = mutator.random.choice(names) if kind == 6 else name
        tensors[new] = changed.get(kind, old).contiguous()
    return save(tensors)


def described(files: Files, name: str) -> Files:
    """The record of a file's cell, with the file's hash and size as they are."""
    record, _, _ = name.rpartition("/")
    facts = json.loads(files[f"{record}/record.json"])
    file = name.removeprefix(f"{record}/")
    facts["files"][file] = hashlib.sha256(files[name]).hexdigest()
    facts["sizes"][file] = len(files[name])
    return {f"{record}/record.json": resealed(json.dumps(facts).encode())}


def resealed(raw: bytes) -> bytes:
    """A cell's record with the seal that fits it, where it is a record at all."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    if not isinstance(value, dict):
        return raw
    value.pop(SEAL, None)
    try:
        return json.dumps({**value, SEAL: seal_of(value)}).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError, UnicodeError):
        return raw


def handled(ask: Callable[[], Any]) -> str:
    """What a function let through that is no `HandledError`; nothing where it did not."""
    try:
        ask()
    except HandledError as error:
        return "more than one line" if "\n" in str(error) else ""
    except Exception as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} at {last.filename}:{last.lineno}"[:300]
    return ""


def sent_files(folder: Path) -> Files:
    """Relative path -> bytes."""
    return sent.tree(folder)


def written(files: Files, folder: Path) -> None:
    """Write files below a folder."""
    for name, raw in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)


def merit_order(files: dict[str, Path]) -> tuple[Path, Path, Path]:
    """Sequences, items, users."""
    text = next(p for n, p in files.items() if n.endswith(".txt"))
    item = next(p for n, p in files.items() if "item" in n or n.startswith("i"))
    return text, item, next(p for p in files.values() if p not in (text, item))


def _fields(spec: Any) -> list[str]:
    import dataclasses

    from recmerge_bench.targets import load_class

    target = getattr(spec, "target", "")
    options = getattr(load_class(target), "Options", None) if target else None
    return [f.name for f in dataclasses.fields(options)] if options else []
