"""Named bytes at an address: a folder, or whatever fsspec opens (``s3://``, ``gs://``, ...)."""
