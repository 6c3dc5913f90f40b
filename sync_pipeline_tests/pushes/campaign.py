"""Many pushes of one world, each struck at another place, and what their log shows in the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection as Line
from random import Random

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline_tests.push_oracle import findings
from sync_pipeline_tests.push_rounds import Rounds
from sync_pipeline_tests.pushes import victim
from sync_pipeline_tests.pushes.victim import Blow, Order, Strike
from sync_pipeline_tests.sandbox_process import Json

GRACE_S = 0.5
FIELDS = ("first_name", "last_name", "company_name")
_RECORDS, _UPDATES = 4, 5
_LONGEST_S = 60.0
# All sessions but the one that asks: the paused worker's locks go with them.
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([victim.__name__])


@dataclass(slots=True)
class Campaign:
    """Strikes one push after the other; ``findings`` is what broke a promise."""

    rounds: Rounds
    url: str
    environ: dict[str, str]
    chance: Random
    say: Callable[[str], None]
    owners: dict[object, int] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    _places: int = 0
    _seconds: float = 0.0

    def strike(self, points: int) -> None:
        """Strike until so many blows have fallen, then look at what came of it."""
        self._measure()
        while self.hits.total() < points:
            self._ask()
            self._push(self._choose())
            self._settle()
        self.findings += findings(self.rounds, self.owners)

    def _measure(self) -> None:
        self._ask()
        began_at = time.monotonic()
        said = self._push(None)
        self._places, self._seconds = len(said), time.monotonic() - began_at
        self.say(f"undisturbed: {self._places} places in {self._seconds:.1f} s")

    def _choose(self) -> Strike:
        blow = self.chance.choice((Blow.KILL, Blow.KILL, Blow.KILL, Blow.PAUSE))
        if blow is Blow.KILL and self.chance.random() < 0.1:
            return Strike(blow, after_s=self.chance.uniform(0, self._seconds))
        return Strike(blow, self.chance.randrange(self._places))

    def _ask(self) -> None:
        """Ask for updates, some of the same record and field."""
        records = sorted(self.rounds.world(CRMCOM_CONTACTS))[:_RECORDS]
        for _ in range(_UPDATES):
            names = self.chance.sample(FIELDS, k=self.chance.choice((1, 2)))
            value = f"value {len(self.owners)}"
            changes: Json = {name: f"{name} {value}" for name in names}
            made = self.rounds.request(CRMCOM_CONTACTS, self.chance.choice(records), changes)
            self.owners |= dict.fromkeys(changes.values(), made)

    def _push(self, strike: Strike | None) -> list[str]:
        """Make a cycle in a process of its own; return the places that it came to."""
        ours, theirs = _processes.Pipe()
        order = Order(self.environ, self.url, strike)
        process = _processes.Process(target=victim.carry_out, args=(order, theirs))
        process.start()
        theirs.close()
        said = self._listen(ours, process.pid or 0)
        process.join(_LONGEST_S)
        if process.is_alive():
            process.kill()
            self.findings.append(f"a push never ended: {strike}")
        if strike is not None and process.exitcode == -signal.SIGKILL and strike.place is None:
            said.append(f"{strike.blow} at a random time")
        for what in said:
            if strike is not None and what.startswith(str(strike.blow)):
                self.hits[what] += 1
        return said

    def _listen(self, line: Line, pid: int) -> list[str]:
        said: list[str] = []
        while True:
            try:
                heard = line.recv()
            except EOFError:
                return said
            if heard == "paused":
                self._outrun(pid)
            elif isinstance(heard, tuple):
                said.append(heard[1])

    def _outrun(self, pid: int) -> None:
        """Have other workers send fresher values while one is stopped, then let it go on."""
        time.sleep(0.05)
        self.rounds.engine.dispose()
        with self.rounds.engine.connect() as connection:
            connection.exec_driver_sql(_CUT)
        self._ask()
        self._settle()
        os.kill(pid, signal.SIGCONT)

    def _settle(self) -> None:
        push = partial(self.rounds.push, **self.environ)
        if not self.rounds.settle(push, within_s=_LONGEST_S):
            self.findings.append(f"updates never end: {self.rounds.states()}")
