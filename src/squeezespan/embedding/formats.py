"""Files of features: NumPy's npz, parquet, and csv."""

import csv
import importlib.util
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezespan.embedding.table import FeatureTable
from squeezespan.errors import UserError

__all__ = ["check_format", "write_table"]


def check_format(path: Path) -> None:
    """Make sure, before long work, that a table can be written in the format of a file's name.

    Raises:
        UserError: its suffix is of no known format, or a library is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise UserError(f"{path} has the suffix of no known format; give --out a name in {known}")
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UserError(
            f"{path} needs pyarrow; install it with: pip install 'squeezespan[parquet]', or give "
            "--out a name in .npz or .csv"
        )


def write_table(path: Path, suffix: str, table: FeatureTable) -> None:
    """Write a table part by part.

    Args:
        path: the file to fill.
        suffix: of the format.
        table: what to write.
    """
    _WRITERS[suffix.lower()](path, table)


def _write_npz(path: Path, table: FeatureTable) -> None:
    """`names`, `features`, and with labels `labels` and `class_names`; `about` is JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:

        def add(
            name: str,
            dtype: npt.DTypeLike,
            shape: tuple[int, ...],
            chunks: Iterator[npt.NDArray[Any]],
        ) -> None:
            kind = np.dtype(dtype)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                descr = np.lib.format.dtype_to_descr(kind)
                header = {"descr": descr, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
                for chunk in chunks:
                    stream.write(chunk.astype(kind).tobytes())

        longest = max((len(n) for part in table.parts() for n in table.names_of(part)), default=1)
        names = (np.array(table.names_of(part)) for part in table.parts())
        add("names", f"<U{longest}", (table.count,), names)
        if table.labels is not None:
            labels = (np.array(table.labels_of(part)) for part in table.parts())
            add("labels", "<i8", (table.count,), labels)
            class_names = np.array(table.class_names)
            add("class_names", class_names.dtype, class_names.shape, iter([class_names]))
        shape = (table.count, table.width)
        add("features", "<f4", shape, (part.features for part in table.parts()))
        about = np.array(json.dumps(table.about))
        add("about", about.dtype, (), iter([about]))


def _write_parquet(path: Path, table: FeatureTable) -> None:
    """`name`, with labels `label` and `label_name`, and `features`, a list of fixed length."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field("name", pa.string())]
    if table.labels is not None:
        fields += [pa.field("label", pa.int64()), pa.field("label_name", pa.string())]
    fields.append(pa.field("features", pa.list_(pa.float32(), table.width)))
    schema = pa.schema(fields, metadata={"squeezespan": json.dumps(table.about)})
    class_names = [_as_utf8(name) for name in table.class_names]
    with pq.ParquetWriter(path, schema) as writer:
        for part in table.parts():
            columns = [pa.array([_as_utf8(name) for name in table.names_of(part)])]
            if table.labels is not None:
                labels = table.labels_of(part)
                columns += [pa.array(labels), pa.array([class_names[i] for i in labels])]
            flat = pa.array(part.features.reshape(-1))
            columns.append(pa.FixedSizeListArray.from_arrays(flat, table.width))
            writer.write_table(pa.table(columns, schema=schema))


def _as_utf8(name: str) -> str:
    """Write out the bytes of a file's name that is not UTF-8, which parquet could not hold."""
    return name.encode("utf-8", "backslashreplace").decode()


def _write_csv(path: Path, table: FeatureTable) -> None:
    """`name`, with labels `label` and `label_name`, and a column for each feature."""
    labelled = ["label", "label_name"] if table.labels is not None else []
    features = [f"f{number}" for number in range(table.width)]
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", *labelled, *features])
        for part in table.parts():
            names = table.names_of(part)
            labels = table.labels_of(part) if labelled else []
            for number, values in enumerate(part.features.tolist()):
                label = [labels[number], table.class_names[labels[number]]] if labelled else []
                # Nine digits give a float32 back exactly.
                rows.writerow([names[number], *label, *(f"{value:.9g}" for value in values)])


_WRITERS: dict[str, Callable[[Path, FeatureTable], None]] = {
    ".npz": _write_npz,
    ".parquet": _write_parquet,
    ".csv": _write_csv,
}
