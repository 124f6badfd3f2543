"""pandas frames, where pandas is installed: it is imported when a frame is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError

if TYPE_CHECKING:
    import pandas


def imported() -> ModuleType:
    """The pandas module.

    Raises:
        HandledError: it is not installed; says how to install it.
    """
    try:
        import pandas
    except ImportError:
        raise HandledError(
            "to_pandas() needs pandas, which is not installed; "
            "pip install -c constraints.txt pandas"
        ) from None
    module: ModuleType = pandas
    return module


def frame(rows: Sequence[Mapping[str, object]], columns: Sequence[str] = ()) -> pandas.DataFrame:
    """A pandas frame of rows.

    Args:
        rows: a mapping of column to value each.
        columns: in this order; those of the rows if not given.

    Raises:
        HandledError: pandas is not installed; says how to install it.
    """
    table: pandas.DataFrame = imported().DataFrame(list(rows), columns=list(columns) or None)
    return table
