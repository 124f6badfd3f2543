"""Addresses of object stores, and what opens them."""

from __future__ import annotations

import re
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.objects.folder import Folder
from recmerge_bench.objects.remote import Remote
from recmerge_bench.objects.store import Objects
from recmerge_bench.untrusted.paths import shown

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+")
#: Schemes that a committed file may name: stores that bytes are fetched from by a name and nothing
#: else happens. Whoever runs a command may name any.
COMMITTED = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https", "hf"}


def is_remote(address: object) -> bool:
    """Whether a text is an address of fsspec's and no folder."""
    text = isinstance(address, str) and _REMOTE.fullmatch(address) is not None
    return text and not str(address).startswith("file://")


def objects_at(address: str | Path) -> Objects:
    """The object store at an address: a folder, ``file://...`` or whatever fsspec opens.

    Nothing is asked of it yet.

    Raises:
        HandledError: a chain of addresses (``simplecache::...``), or none at all.
    """
    text = str(address)
    if not text or "::" in text:
        raise HandledError(f"{shown(text)} is no address of a store: a folder or scheme://place")
    if is_remote(text):
        return Remote(text)
    if "://" in text and not text.startswith("file://"):
        raise HandledError(f"{shown(text)} is no address of a store: a folder or scheme://place")
    return Folder(Path(text.removeprefix("file://")))


def committed_flaw(address: object) -> str:
    """Why a committed file may not name this address; empty if it may.

    A folder may be named by a relative path that does not lead up: it is below the file's.
    """
    if not isinstance(address, str):
        return "is no text"
    if "://" in address:
        scheme = address.partition("://")[0]
        if not is_remote(address) or "::" in address or scheme not in COMMITTED:
            return f"{shown(address)}: a committed file may name {', '.join(sorted(COMMITTED))}"
        return ""
    if Path(address).is_absolute() or ".." in Path(address).parts or "::" in address:
        return f"{shown(address)}: a folder below this one, or an address with a scheme"
    return ""
