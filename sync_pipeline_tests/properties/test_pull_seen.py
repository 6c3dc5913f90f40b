"""The set of what a sweep has seen behaves as any set does, and stays small."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sync_pipeline.pull.seen import Run, Seen, halves

DIGEST_BYTES = 16
# Few enough that many come again, also after they were sorted in.
MARKS = st.one_of(st.integers(0, 20_000).map(str), st.integers(0, 20_000).map(lambda n: b"%d" % n))


class PlainSet:
    def __init__(self) -> None:
        self.marks: set[str | bytes] = set()

    def add(self, marks: list[str | bytes]) -> list[bool]:
        is_new = []
        for mark in marks:
            is_new.append(mark not in self.marks)
            self.marks.add(mark)
        return is_new


@given(
    pages=st.lists(
        st.one_of(
            st.lists(MARKS, max_size=20),
            # A page of consecutive keys, long enough to be sorted in.
            st.builds(
                lambda start, many: [str(n) for n in range(start, start + many)],
                st.integers(0, 20_000),
                st.integers(0, 6_000),
            ),
        ),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_it_answers_as_a_plain_set_does(pages: list[list[str | bytes]]) -> None:
    seen, plain = Seen(), PlainSet()

    for page in pages:
        assert seen.holds(page) == [mark in plain.marks for mark in page]
        assert seen.add(page) == plain.add(page)
        assert seen.holds(page) == [True] * len(page)

    assert len(seen) == len(plain.marks)


def test_a_text_is_not_the_bytes_that_spell_it() -> None:
    assert Seen().add(["a", b"a", "a", b"a"]) == [True, True, False, False]


def test_it_holds_sixteen_bytes_a_row_in_few_runs() -> None:
    seen = Seen()
    many, page, long = 900_000, 1_000, 1 << 18

    for start in range(0, many, page):
        assert all(seen.add([str(n) for n in range(start, start + page)]))

    runs = [len(run) for run in seen._runs]  # noqa: SLF001 -- what it holds is what is promised
    held = sum(run.first.nbytes + run.second.nbytes for run in seen._runs)  # noqa: SLF001 -- likewise
    assert held == DIGEST_BYTES * sum(runs)
    assert many - sum(runs) <= 4_096
    # Twice as long each, but for what is too long to be joined with another.
    assert all(one >= min(2 * next_one, long) for one, next_one in pairwise(runs))
    assert max(runs) < 2 * long
    assert not any(seen.add([str(n) for n in range(many)]))
    assert seen.add([]) == []


def test_digests_that_share_a_half_are_told_apart() -> None:
    low, high = bytes(8), b"\xff" * 8
    held = [low + high, low + low, high + low, b"\x01" * 16]
    asked = [*held, high + high, low + b"\x02" * 8, b"\x02" * 16]

    run = Run.of(halves(held))

    assert run.alike == 2
    assert run.holds(halves(asked)).tolist() == [True, True, True, True, False, False, False]
    assert Run.of(run.joined(halves([high + high]))).holds(halves(asked)).tolist() == [
        *(True, True, True, True, True, False, False)
    ]
