"use strict";
// A Parquet file of one table: one row group, a plain uncompressed page for each column
// (format: github.com/apache/parquet-format; its metadata are Thrift's compact protocol).
(() => {
  const MAGIC = [0x50, 0x41, 0x52, 0x31]; // PAR1
  const [DOUBLE, BYTE_ARRAY] = [5, 6];
  const [PLAIN, RLE] = [0, 3];
  const UTF8 = 0;
  const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12];
  const text = new TextEncoder();

  function varint(value) {
    const bytes = [];
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    return [...bytes, rest];
  }

  const zigzag = (value) => varint(2 * value); // all of ours are from 0 on
  const string = (value) => {
    const bytes = [...text.encode(value)];
    return [...varint(bytes.length), ...bytes];
  };

  function list(type, items) {
    const head = items.length < 15 ? [(items.length << 4) | type] : [0xf0 | type, ...varint(items.length)];
    return [...head, ...items.flat()];
  }

  /** A struct of [field number, type, bytes], in the order of their numbers. */
  function struct(fields) {
    let last = 0;
    const bytes = fields.flatMap(([number, type, value]) => {
      const head = ((number - last) << 4) | type;
      last = number;
      return [head, ...value];
    });
    return [...bytes, 0];
  }

  const i32 = (number, value) => [number, I32, zigzag(value)];
  const i64 = (number, value) => [number, I64, zigzag(value)];

  const little = (value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255];

  /** Which values there are: one bit each, in a single bit-packed run. */
  function levels(values) {
    const groups = Math.ceil(values.length / 8);
    const bits = new Array(groups).fill(0);
    values.forEach((value, n) => { if (!RECMERGE.none(value)) bits[n >> 3] |= 1 << (n & 7); });
    const run = [...varint(groups * 2 + 1), ...bits];
    return [...little(run.length), ...run];
  }

  function plain(type, values) {
    if (type === DOUBLE) return [...new Uint8Array(new Float64Array(values).buffer)]; // little-endian, as all browsers' machines
    return values.flatMap((value) => {
      const bytes = [...text.encode(String(value))];
      return [...little(bytes.length), ...bytes];
    });
  }

  function page(type, values) {
    const body = [...levels(values), ...plain(type, values.filter((value) => !RECMERGE.none(value)))];
    const head = struct([i32(1, 0), i32(2, body.length), i32(3, body.length),
      [5, STRUCT, struct([i32(1, values.length), i32(2, PLAIN), i32(3, RLE), i32(4, RLE)])]]);
    return [...head, ...body];
  }

  const element = (name, type) => struct([i32(1, type), i32(3, 1), [4, BINARY, string(name)],
    ...(type === BYTE_ARRAY ? [i32(6, UTF8)] : [])]);

  function chunk({ name, type, offset, size, count }) {
    const meta = struct([i32(1, type), [2, LIST, list(I32, [zigzag(PLAIN), zigzag(RLE)])],
      [3, LIST, list(BINARY, [string(name)])], i32(4, 0), i64(5, count), i64(6, size), i64(7, size), i64(9, offset)]);
    return struct([i64(2, offset), [3, STRUCT, meta]]);
  }

  /** Bytes of a file with these columns; one is numbers where all its values are, else text. */
  function parquet(titles, rows) {
    const parts = [MAGIC];
    let offset = MAGIC.length;
    const columns = titles.map((name, at) => {
      const values = rows.map((row) => row[at]);
      const type = values.every((v) => RECMERGE.none(v) || typeof v === "number") ? DOUBLE : BYTE_ARRAY;
      const bytes = page(type, values);
      const column = { name, type, offset, size: bytes.length, count: rows.length };
      parts.push(bytes);
      offset += bytes.length;
      return column;
    });
    const size = columns.reduce((sum, column) => sum + column.size, 0);
    const schema = [struct([[4, BINARY, string("board")], i32(5, columns.length)]),
      ...columns.map(({ name, type }) => element(name, type))];
    const group = struct([[1, LIST, list(STRUCT, columns.map(chunk))], i64(2, size), i64(3, rows.length)]);
    const footer = struct([i32(1, 1), [2, LIST, list(STRUCT, schema)], i64(3, rows.length),
      [4, LIST, list(STRUCT, [group])], [6, BINARY, string("recmerge-bench site")]]);
    parts.push(footer, little(footer.length), MAGIC);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const made = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      made.set(part, at);
      at += part.length;
    }
    return made;
  }

  Object.assign(RECMERGE, { parquet });
})();
