"""The moments at which reserved requests are sent."""

from __future__ import annotations

from sync_pipeline.pull.pacing import LATE_S, Slots, Usage


def sent_at(slots: Slots, looks: list[float]) -> list[float]:
    """Return at which looks at the clock a request was sent, one entry for each."""
    sent = []
    for now in looks:
        while (due_at := slots.next_at(now)) is not None and due_at <= now:
            slots.take()
            sent.append(now)
    return sent


def test_requests_are_sent_at_equal_distances_and_never_before_their_moment() -> None:
    slots = Slots()
    slots.add(4, at=10, rate=20)
    looks = [9.99, 10, 10.01, 10.04, 10.06, 10.11, 10.12, 10.16, 10.3]
    assert sent_at(slots, looks) == [10, 10.06, 10.11, 10.16]


def test_moments_that_were_missed_are_lost_but_for_the_latest() -> None:
    slots = Slots()
    slots.add(100, at=10, rate=100)
    sent = sent_at(slots, [10.505])
    assert len(sent) == round(LATE_S * 100)
    assert slots.left(10.505) == 100 - 51


def test_what_was_reserved_long_ago_is_no_burst() -> None:
    slots = Slots()
    slots.add(500, at=10, rate=2000)
    assert sent_at(slots, [60]) == []
    assert slots.left(60) == 0


def test_reservations_are_used_one_after_the_other() -> None:
    slots = Slots()
    slots.add(1, at=10, rate=5)
    slots.add(0, at=10.2, rate=5)
    slots.add(2, at=10.8, rate=5)
    assert sent_at(slots, [10, 10.4, 10.8, 10.9, 11]) == [10, 10.8, 11]
    assert slots.next_at(11) is None


def test_after_a_silence_nothing_reserved_before_is_left() -> None:
    slots = Slots()
    slots.add(10, at=10, rate=5)
    slots.clear()
    assert slots.next_at(10) is None


def test_usage_is_that_of_about_the_last_window() -> None:
    usage = Usage(0.25)
    assert usage.lately(0) == 0
    for number in range(10):
        usage.count(10 + number / 100)
    assert usage.lately(10.1) == 10
    assert usage.lately(10.3) == 10
    assert usage.lately(10.6) == 0
