"""What the command line prints: nothing of a table is cut, however wide it is."""

from __future__ import annotations

import pytest

from sync_pipeline import console

WIDE = {f"column_{number}": f"a value that is long enough {number:02}" for number in range(12)}


def test_no_cell_of_a_wide_table_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_rows([WIDE, WIDE], as_json=False)
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert all(printed.count(value) == 2 for value in WIDE.values())
