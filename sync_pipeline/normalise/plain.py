"""Plain records, opened all at once: flat objects without escapes or blanks between their members.

The most of a long list is like that. Its texts are cut into names and values by looks over all of
them at once, without an object of Python's for each member; whatever is not plain is left to
`opening`, which knows every oddity. What is cut here is sound JSON: that is looked at first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sync_pipeline.mapping.fields import Field
from sync_pipeline.records import Record

# Fewer are opened faster one by one.
_FEWEST = 50
# There is a place for each of them in each record.
_MOST_NAMES = 200
# A longer number may be one of a size that jsonb refuses.
_LONGEST_SCALAR = 100
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_AFTER_A_NAME = b'":'
_QUOTE, _COLON, _E, _LOWER = ord('"'), ord(":"), ord("e"), 0x20
_BEGINS_NUMBER = np.isin(np.arange(256), list(b"-0123456789"))
_BEGINS_SCALAR = _BEGINS_NUMBER | np.isin(np.arange(256), list(b"tfn"))
_ENDS_SCALAR = np.isin(np.arange(256), list(b"0123456789el"))

Places = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PlainRecords:
    """The members of plain records, as places in one text.

    ``names`` are in order; ``at`` has a row per name and a column per record, and holds the number
    of the member, -1 where there is none. Member ``n`` is element ``2 n + 2`` of ``members``, with
    the separator before it; their first element is one byte. Its value is element ``2 n`` of
    ``values``, and without quotation marks of ``words``; ``begins`` holds its first byte.
    """

    names: list[str]
    at: Places
    values: pa.BinaryArray
    words: pa.BinaryArray
    begins: npt.NDArray[np.uint8]
    members: pa.BinaryArray


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where each member's name and value are, and of which record it is."""

    record: npt.NDArray[np.intp]
    name_starts: npt.NDArray[np.intp]
    name_ends: npt.NDArray[np.intp]
    value_starts: npt.NDArray[np.intp]
    value_ends: npt.NDArray[np.intp]
    begins: npt.NDArray[np.uint8]


def open_plainly(
    records: Sequence[Record], fields: Sequence[Field]
) -> tuple[PlainRecords | None, Flags]:
    """Return the plain ones among ``records``, and which they are.

    None where they are few, or where a field may be under one name or another, or in an object.
    """
    none = np.zeros(len(records), dtype=bool)
    only = [b"" if r.listed and r.supplement else r.listed or r.supplement for r in records]
    is_simple = np.array([b"\\" not in text and text != b"" for text in only], dtype=bool)
    texts = list(compress(only, is_simple))
    text = b"[" + b",".join(texts) + b"]"
    if len(texts) < _FEWEST or _AFTER_A_NAME not in text or not _is_sound(text, texts):
        return None, none
    cut, is_plain = _cut(text, texts)
    names = _segments(text, cut.name_starts, cut.name_ends).take(_every_other(len(cut.record)))
    coded = names.dictionary_encode()
    if len(coded.dictionary) > _MOST_NAMES:
        return None, none
    plain, is_plain = _by_name(text, cut, coded, is_plain)
    if is_plain.sum() < _FEWEST or not _suit(plain.names, fields):
        return None, none
    is_simple[is_simple] = is_plain
    return plain, is_simple


def _is_sound(text: bytes, texts: Sequence[bytes]) -> bool:
    """Tell whether each of ``texts`` is a JSON value, and ``text``, the array of them, is UTF-8."""
    try:
        elements = _ELEMENTS.decode(text)
        whole = _segments(text, np.array([0]), np.array([len(text)]))
        whole.view(pa.string()).validate(full=True)
    except (msgspec.DecodeError, pa.ArrowInvalid):
        return False
    return list(map(len, elements)) == list(map(len, texts))


def _cut(text: bytes, texts: Sequence[bytes]) -> tuple[_Cut, Flags]:
    """Cut the members of flat objects; tell which texts are such, and cut to the very byte."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    starts = np.cumsum(lengths + 1) - lengths
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    names = np.flatnonzero(characters[closing + 1] == _COLON)
    name_starts, name_ends = opening[names] + 1, closing[names]
    first = np.searchsorted(name_starts, np.append(starts, len(text)))
    many = np.diff(first)
    record = np.repeat(np.arange(len(texts)), many)
    value_starts = name_ends + 2
    # Before the comma that precedes the next name, or the bracket that ends the record.
    value_ends = np.append(name_starts[1:], 0) - 2
    last = first[1:][many > 0] - 1
    value_ends[last] = (starts + lengths)[many > 0] - 1
    begins = characters[value_starts]
    cut = _Cut(record, name_starts, name_ends, value_starts, value_ends, begins)
    # A quoted value follows its name at once and ends where the value does; beside names and
    # such values nothing is quoted.
    is_quoted = begins == _QUOTE
    until = closing[np.minimum(names + 1, len(closing) - 1)]
    is_exact = np.where(is_quoted, until == value_ends - 1, _is_scalar(text, cut))
    is_exact &= np.diff(np.append(names, len(closing))) == 1 + is_quoted
    is_plain = many > 0
    is_plain[is_plain] = name_starts[first[:-1][is_plain]] == starts[is_plain] + 2
    is_plain[record[~is_exact]] = False
    return cut, is_plain


def _is_scalar(text: bytes, cut: _Cut) -> Flags:
    """Tell which values are a number or a literal and no more, and no number with an exponent."""
    ends = np.frombuffer(text, np.uint8)[cut.value_ends - 1]
    is_scalar = _BEGINS_SCALAR[cut.begins] & _ENDS_SCALAR[ends]
    is_scalar &= cut.value_ends - cut.value_starts <= _LONGEST_SCALAR
    numbers = np.flatnonzero(is_scalar & _BEGINS_NUMBER[cut.begins])
    digits = _segments(text, cut.value_starts[numbers], cut.value_ends[numbers])
    digits = digits.take(_every_other(len(numbers)))
    exponents = np.flatnonzero(np.frombuffer(digits.buffers()[2] or b"", np.uint8) | _LOWER == _E)
    if len(exponents):
        offsets = np.frombuffer(digits.buffers()[1], np.int32)
        is_scalar[numbers[np.searchsorted(offsets, exponents, side="right") - 1]] = False
    return is_scalar


def _by_name(
    text: bytes, cut: _Cut, coded: pa.DictionaryArray, is_plain: Flags
) -> tuple[PlainRecords, Flags]:
    """Return the members of the plain records; a record in which a name comes twice is not."""
    order = pc.array_sort_indices(coded.dictionary).to_numpy()
    at = np.full((len(order), len(is_plain)), -1, np.int32)
    rank = np.argsort(order)[coded.indices.to_numpy()]
    at[rank, cut.record] = np.arange(len(cut.record))
    is_plain &= (at >= 0).sum(axis=0) == np.bincount(cut.record, minlength=len(is_plain))
    at = at[:, is_plain]
    is_found = (at >= 0).any(axis=1)
    found = coded.dictionary.take(order[is_found]).cast(pa.string()).to_pylist()
    is_quoted = cut.begins == _QUOTE
    plain = PlainRecords(
        names=found,
        at=at[is_found],
        values=_segments(text, cut.value_starts, cut.value_ends),
        words=_segments(text, cut.value_starts + is_quoted, cut.value_ends - is_quoted),
        begins=cut.begins,
        members=_segments(text, np.append(0, cut.name_starts - 2), np.append(1, cut.value_ends)),
    )
    return plain, is_plain


def _suit(names: Sequence[str], fields: Sequence[Field]) -> bool:
    """Tell whether each of ``fields`` has one of ``names`` at most, and shares it with no other."""
    found = [[path for path in field.paths if path in names] for field in fields]
    every = list(chain.from_iterable(found))
    parents = {path.partition(".")[0] for f in fields for path in f.paths if "." in path}
    is_single = all(len(paths) <= 1 for paths in found) and len(set(every)) == len(every)
    return is_single and parents.isdisjoint(names)


def _segments(
    text: bytes, starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> pa.BinaryArray:
    """Return the segments, each but the last followed by what is between it and the next."""
    offsets = np.empty(2 * len(starts), np.int32)
    offsets[::2], offsets[1::2] = starts, ends
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.BinaryArray.from_buffers(pa.binary(), max(len(offsets) - 1, 0), buffers)


def _every_other(many: int) -> pa.Array:
    return pa.array(np.arange(0, 2 * many, 2, dtype=np.int32))
