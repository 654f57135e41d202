#!/usr/bin/env python3
"""Parquet files as pyarrow writes them, small, for tests/datasets/parquet_test.cc and as seeds of the fuzz target:

  make.py FOLDER      (pyarrow 26)

The same table of 100 rows in every file: what img2dataset has, nulls, and a value of each type that is read.
"""
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

N = 100
table = pa.table({
    "key": pa.array([f"{i:09}" for i in range(N)]),
    "url": pa.array([None if i % 17 == 0 else f"http://host/{i}.jpg" for i in range(N)]),
    "caption": pa.array([None if i % 5 == 0 else "words " * (i % 4) + "é" for i in range(N)]),
    "status": pa.array(["success" if i % 3 else "failed_to_download" for i in range(N)]),
    "error_message": pa.array([None if i % 3 else f"HTTP Error {404 + i % 2}" for i in range(N)]),
    "width": pa.array([None if i % 7 == 0 else i for i in range(N)], pa.int32()),
    "large": pa.array([i << 40 for i in range(N)], pa.int64()),
    "similarity": pa.array([None if i % 2 else i / 8 for i in range(N)], pa.float32()),
    "real": pa.array([i / 3 for i in range(N)], pa.float64()),
    "flag": pa.array([None if i % 11 == 0 else i % 4 == 1 for i in range(N)], pa.bool_()),
    "list": pa.array([None if i % 13 == 0 else [j * i for j in range(i % 4)] for i in range(N)], pa.list_(pa.int32())),
    "struct": pa.array([None if i % 9 == 0 else {"in": None if i % 6 == 0 else i} for i in range(N)]),
})
folder = pathlib.Path(sys.argv[1])
ways = {
    "default": {},
    "groups": dict(row_group_size=24, data_page_size=256, write_batch_size=8),
    "v2": dict(data_page_version="2.0", data_page_size=512),
    "plain": dict(use_dictionary=False, compression="none"),
    "gzip": dict(compression="gzip", use_dictionary=["url"]),
    "zstd": dict(compression="zstd", data_page_version="2.0"),
    "old": dict(version="1.0"),
    "brotli": dict(compression="brotli"),
    "delta": dict(use_dictionary=False, column_encoding={"url": "DELTA_BYTE_ARRAY", "key": "PLAIN", "real": "BYTE_STREAM_SPLIT"}),
}
for name, how in ways.items():
    pq.write_table(table, folder / f"{name}.parquet", **how)
