"""Parquet tables of known columns: every size that a file claims is bounded before it is decoded.

The footer tells rows and sizes by column; the headers of the pages, which a reader allocates by,
are walked through as well (Apache Parquet format, ``PageHeader`` in Thrift's compact protocol), so
that neither a page nor a dictionary can be larger than the footer says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from recmerge_bench.errors import DataError, HandledError

#: Rows that a stranger's file may have: they are in memory at once when it is read.
ROWS = 50_000_000
#: Rows of a group of rows, which is what a file of any length is read by (`read_groups`).
GROUP_ROWS = 1 << 26
#: Rows that any file may have, and those that it may have for each of its bytes: runs of one value
#: take no bytes, true ranks do.
FREE, PER_BYTE = 500_000, 16
ROW_GROUPS = 256
PAGES = 100_000
#: Bytes of a page's header: there are no statistics in it that anyone reads.
HEADER = 1 << 12
#: Bytes that a value of text may have, and that all different ones of a column may have.
TEXT, DICTIONARY = 1 << 10, 16 << 20
#: Bytes of the footer.
FOOTER = 4 << 20
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
#: Encodings of pages: plain, by dictionary, and for numbers split by byte and packed differences.
#: Others (shared prefixes of texts) make much of little.
_OF_TEXT, _OF_NUMBERS = {0, 2, 8}, {0, 2, 5, 8, 9}


def read_table(path: Path, columns: Mapping[str, str], what: str, rows: int | None = None) -> Any:
    """A table of exactly these columns, columns of bytes as dictionaries of text.

    Args:
        path: the file.
        columns: name -> physical type (``INT32``, ``BYTE_ARRAY``).
        what: what it should be, for messages (``a table of ranks``).
        rows: how many it has to have, where that is known.

    Returns:
        A `pyarrow.Table`.

    Raises:
        HandledError: there is no such file.
        DataError: it is no such table, or claims more than it may.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = [name for name, kind in columns.items() if kind == "BYTE_ARRAY"]
    try:
        check_table(path, columns, what, rows)
        # `pq.read_table` would import pandas
        with pq.ParquetFile(
            path, read_dictionary=text, thrift_string_size_limit=FOOTER,
            thrift_container_size_limit=FOOTER, arrow_extensions_enabled=False,
            page_checksum_verification=True,
        ) as file:  # fmt: skip
            table = file.read(columns=list(columns), use_threads=False)
        if table.column_names != list(columns):
            table = table.select(list(columns))
        if any(column.null_count for column in table.columns):
            raise ValueError("a value is missing")
        return table
    except (OSError, KeyError, ValueError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise DataError(f"not {what} ({_reason(error)})", path) from None


def read_groups(path: Path, columns: Mapping[str, str], what: str, most: int) -> Iterator[Any]:
    """The groups of rows of a table, one after the other: no more than one is in memory.

    Args:
        path: the file.
        columns: name -> physical type (``INT32``, ``BYTE_ARRAY``).
        what: what it should be, for messages.
        most: rows that it may have in all.

    Yields:
        a `pyarrow.Table` of at most `GROUP_ROWS` rows; none where the file has no rows.

    Raises:
        HandledError: there is no such file.
        DataError: it is no such table, or claims more than it may.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = [name for name, kind in columns.items() if kind == "BYTE_ARRAY"]
    check_table(path, columns, what, most=most)
    try:
        with pq.ParquetFile(
            path, read_dictionary=text, thrift_string_size_limit=FOOTER,
            thrift_container_size_limit=FOOTER, arrow_extensions_enabled=False,
            page_checksum_verification=True,
        ) as file:  # fmt: skip
            for number in range(file.metadata.num_row_groups):
                table = file.read_row_group(number, columns=list(columns), use_threads=False)
                table = table.select(list(columns))
                if any(column.null_count for column in table.columns):
                    raise ValueError("a value is missing")
                yield table
    except (OSError, KeyError, ValueError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise DataError(f"not {what} ({_reason(error)})", path) from None


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def column_names(path: Path, what: str) -> list[str]:
    """The columns that a file says it has, of which nothing is read.

    Raises:
        HandledError: there is no such file.
        DataError: it is no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise HandledError(f"{path}: there is no such file")
    try:
        _check_footer(path, path.stat().st_size)
        with pq.ParquetFile(
            path, thrift_string_size_limit=FOOTER, thrift_container_size_limit=FOOTER,
            arrow_extensions_enabled=False,
        ) as file:  # fmt: skip
            return list(file.schema.names)
    except (OSError, ValueError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise DataError(f"not {what} ({_reason(error)})", path) from None


def check_table(
    path: Path, columns: Mapping[str, str], what: str, rows: int | None = None, most: int = ROWS
) -> int:
    """Refuse a file of other columns or of more than its rows need, undecoded.

    Args:
        path: the file.
        columns: name -> physical type.
        what: what it should be, for messages.
        rows: how many it has to have, where that is known.
        most: how many it may have.

    Returns:
        How many rows it has.

    Raises:
        HandledError: there is no such file.
        DataError: it is no such table, or claims more than it may.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise HandledError(f"{path}: there is no such file")
    size = path.stat().st_size
    try:
        _check_footer(path, size)
        with pq.ParquetFile(
            path, thrift_string_size_limit=FOOTER, thrift_container_size_limit=FOOTER,
            arrow_extensions_enabled=False,
        ) as file:  # fmt: skip
            metadata, schema = file.metadata, file.schema
            _check_columns(schema, columns, metadata.num_rows)
            _check_rows(metadata, rows, size, most)
            _check_chunks(_footer(path), schema)
            with open(path, "rb") as stream:
                for number in range(metadata.num_row_groups):
                    _check_group(metadata.row_group(number), schema, stream, size)
            return int(metadata.num_rows)
    except (OSError, ValueError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise DataError(f"not {what} ({_reason(error)})", path) from None


def _check_footer(path: Path, size: int) -> None:
    with open(path, "rb") as stream:
        if size < 12 or stream.read(4) != b"PAR1":
            raise ValueError("no Parquet file")
        stream.seek(-8, 2)
        length = int.from_bytes(stream.read(4), "little")
        if stream.read(4) != b"PAR1" or length > min(FOOTER, size - 12):
            raise ValueError("no Parquet file: its end is damaged")


def _check_columns(schema: Any, columns: Mapping[str, str], rows: int) -> None:
    names = {c.name: c.physical_type if rows else columns.get(c.name) for c in schema}
    flat = all(c.max_repetition_level == 0 and c.max_definition_level <= 1 for c in schema)
    if names != dict(columns) or len(names) != len(schema) or not flat:
        raise ValueError(f"its columns are {', '.join(map(str, names))[:150]}")


def _check_rows(metadata: Any, rows: int | None, size: int, longest: int) -> None:
    if rows is not None and metadata.num_rows != rows:
        raise ValueError(f"{metadata.num_rows} rows, there should be {rows}")
    most = min(longest, FREE + PER_BYTE * size)
    if not 0 <= metadata.num_rows <= most or not 0 <= metadata.num_row_groups <= ROW_GROUPS:
        raise ValueError(f"{metadata.num_rows} rows in {size} bytes: at most {most} are read")
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    if any(not 0 <= n <= GROUP_ROWS for n in groups) or sum(groups) != metadata.num_rows:
        raise ValueError("its parts do not have the rows that it claims")


def _footer(path: Path) -> bytes:
    with open(path, "rb") as stream:
        stream.seek(-8, 2)
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(-8 - length, 2)
        return stream.read(length)


def _check_chunks(footer: bytes, schema: Any) -> None:
    """Chunks of columns fit the schema.

    pyarrow's accessor of a chunk lets no C++ exception through: one that does not fit ends the
    process. So chunks are looked at before it is asked (``FileMetaData`` in Thrift's compact
    protocol: row groups are field 4; of a chunk, field 3 is its metadata, and of that 16 its size
    statistics, with bytes of text and histograms of levels as fields 1 to 3).
    """
    for group in _structs(_Compact(footer, depth=8).struct(0).get(4)):
        chunks = _structs(group.get(1))
        if len(chunks) != len(schema):
            raise ValueError("a part has other columns than it claims")
        for number, chunk in enumerate(chunks):
            column, claims = schema.column(number), chunk.get(3)
            if not isinstance(claims, dict) or chunk.keys() - range(1, 8):
                raise ValueError(f"{column.name}: a part is encrypted or says nothing of itself")
            if claims.keys() - range(1, 17) or not _sizes_fit(claims.get(16, {}), column):
                raise ValueError(f"{column.name}: a part does not fit the column")


def _sizes_fit(sizes: Any, column: Any) -> bool:
    if not isinstance(sizes, dict):
        return False
    levels = {2: column.max_repetition_level, 3: column.max_definition_level}
    return (1 not in sizes or column.physical_type == "BYTE_ARRAY") and all(
        isinstance(sizes.get(field, []), list) and len(sizes.get(field, [])) in (0, most + 1)
        for field, most in levels.items()
    )


def _structs(value: Any) -> list[dict[int, Any]]:
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise ValueError("its end is damaged")
    return value


def _check_group(group: Any, schema: Any, stream: IO[bytes], size: int) -> None:
    if not group.num_rows:
        return
    for number in range(group.num_columns):
        column = group.column(number)
        if column.path_in_schema != schema.column(number).path:
            raise ValueError("its parts have other columns than it claims")
        text = column.physical_type == "BYTE_ARRAY"
        # plain, or runs of numbers: two bytes of levels and numbers of the dictionary
        most = 16 * group.num_rows + 65536 + DICTIONARY * text
        if not 0 <= column.total_uncompressed_size <= most or column.num_values != group.num_rows:
            raise ValueError(f"{column.path_in_schema}: {column.total_uncompressed_size} bytes "
                             f"unpacked are too many for {group.num_rows} rows")  # fmt: skip
        _check_pages(column, stream, size)


def _check_pages(column: Any, stream: IO[bytes], size: int) -> None:
    """The pages of a column are those that the footer counts."""
    name = column.path_in_schema
    at, left = _extent(column, size)
    values = unpacked = pages = 0
    while left:
        stream.seek(at)
        header, used = page_header(stream.read(min(left, HEADER)))
        packed, whole = header["compressed"], header["uncompressed"]
        pages += 1
        unpacked += whole + used
        if pages > PAGES or unpacked > column.total_uncompressed_size or used + packed > left:
            raise ValueError(f"{name}: its pages are larger than it claims")
        if header["type"] == _DICTIONARY:
            _check_dictionary(header, column, pages)
        elif header["type"] in (_DATA, _DATA_2):
            _check_encoding(header, column)
            values += header["values"]
        at, left = at + used + packed, left - used - packed
    if values != column.num_values:
        raise ValueError(f"{name}: its pages have {values} values, it claims {column.num_values}")


def _extent(column: Any, size: int) -> tuple[int, int]:
    """Where the pages of a column begin, and how many bytes they have."""
    starts = [column.data_page_offset]
    if column.has_dictionary_page and column.dictionary_page_offset is not None:
        starts.append(column.dictionary_page_offset)
    start, length = min(starts), column.total_compressed_size
    if start < 4 or length < 0 or start + length > size:
        raise ValueError(f"{column.path_in_schema}: it lies outside of the file")
    return start, length


def _check_encoding(header: Mapping[str, int], column: Any) -> None:
    known = _OF_TEXT if column.physical_type == "BYTE_ARRAY" else _OF_NUMBERS
    if header["encoding"] not in known:
        raise ValueError(f"{column.path_in_schema}: encoding {header['encoding']} is not read")


def _check_dictionary(header: Mapping[str, int], column: Any, page: int) -> None:
    most = DICTIONARY if column.physical_type == "BYTE_ARRAY" else 8 * column.num_values + 64
    count = header["values"]
    if page > 1 or header["uncompressed"] > most or not 0 <= count <= max(1, column.num_values):
        raise ValueError(f"{column.path_in_schema}: its dictionary is too large")
    if column.physical_type == "BYTE_ARRAY" and header["uncompressed"] > (TEXT + 4) * max(1, count):
        raise ValueError(f"{column.path_in_schema}: its texts are too long")


def page_header(raw: bytes) -> tuple[dict[str, int], int]:
    """``type``, ``uncompressed`` and ``compressed`` bytes, ``values`` and ``encoding`` of a page.

    Returns:
        These, and how many bytes the header has.

    Raises:
        ValueError: no such header.
    """
    reader = _Compact(raw)
    fields = reader.struct(0)
    page_fields = [fields[n] for n in (5, 7, 8) if isinstance(fields.get(n), dict)]
    page: dict[int, Any] = page_fields[0] if page_fields else {}
    header = {
        "type": fields.get(1), "uncompressed": fields.get(2), "compressed": fields.get(3),
        "values": page.get(1, 0), "encoding": page.get(4 if 8 in fields else 2, 0),
    }  # fmt: skip
    if any(not isinstance(v, int) or v < 0 for v in header.values()):
        raise ValueError("a page without sizes")
    return header, reader.at


class _Compact:
    """Thrift's compact protocol, as far as headers of pages and the footer need it.

    Args:
        raw: the bytes.
        depth: that structures may be nested.
    """

    def __init__(self, raw: bytes, depth: int = 4) -> None:
        self.raw, self.at, self.depth = raw, 0, depth

    def byte(self) -> int:
        if self.at >= len(self.raw):
            raise ValueError("a page's header is cut off or too long")
        self.at += 1
        return self.raw[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            one = self.byte()
            value |= (one & 0x7F) << shift
            shift += 7
            if not one & 0x80:
                return value
            if shift > 63:
                raise ValueError("a page's header has a number that is too long")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.raw):
            raise ValueError("a page's header is cut off or too long")

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > self.depth:
            raise ValueError("a page's header is nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while True:
            head = self.byte()
            if not head:
                return fields
            number = number + (head >> 4) if head >> 4 else self.integer()
            fields[number] = self.value(head & 0x0F, depth)

    def items(self, depth: int) -> list[Any]:
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        kind = head & 0x0F
        if count > len(self.raw) - self.at or depth > self.depth:
            raise ValueError("a list is longer or deeper than its header")
        if kind in (1, 2):  # each element is a byte there
            return [self.byte() == 1 for _ in range(count)]
        return [self.value(kind, depth) for _ in range(count)]

    def value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.integer()
        if kind == 7:
            return self.skip(8)
        if kind == 8:
            return self.skip(self.varint())
        if kind == 9:
            return self.items(depth + 1)
        if kind == 12:
            return self.struct(depth + 1)
        raise ValueError("a page's header has a field that it cannot have")
