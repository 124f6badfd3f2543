"""A real S3 server on loopback (moto's), for tests of stores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

BUCKET = "bench"


@contextmanager
def s3_server() -> Iterator[str]:
    """Start a server with a bucket; environment variables point every client at it.

    Yields:
        the address of the bucket, ``s3://bench``.
    """
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",  # the server takes any
    }  # fmt: skip
    with patch.dict(os.environ, variables):
        try:
            _make_bucket()
            yield f"s3://{BUCKET}"
        finally:
            _forget()
            server.stop()


def _make_bucket() -> None:
    import fsspec

    _forget()
    fsspec.filesystem("s3").makedirs(BUCKET, exist_ok=True)  # servers of one process share all


def _forget() -> None:
    """Clients of an earlier server have its address."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
