"""What steps take of a machine, and which run may have the rest."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.capacity import Amount, lacking, needed, offer, total
from jupyter_mlwf.core.workflow import Resources

from .strategies import cases

GIB = 2**30
MACHINE = Amount(8, 16 * GIB, 2)


def test_a_step_takes_a_cpu_unless_it_says_otherwise() -> None:
    assert needed(Resources(), MACHINE) == Amount(1)
    assert needed(Resources(cpus=2.5, memory="1.5GiB", gpus=1), MACHINE) == Amount(2.5, 3 * GIB // 2, 1)


def test_a_step_that_wants_more_cpus_than_there_are_gets_them_all() -> None:
    assert needed(Resources(cpus=64), MACHINE) == Amount(8)
    assert needed(Resources(), Amount(0.5)) == Amount(0.5)
    assert lacking(needed(Resources(cpus=64), MACHINE), MACHINE) is None


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (Resources(memory="16GiB", gpus=2), None),
        (Resources(memory="17GiB"), "It asks for 17 GiB of memory; this machine offers 16 GiB."),
        (Resources(gpus=3), "It asks for 3 GPUs; this machine offers 2."),
    ],
)
def test_memory_and_gpus_have_to_be_there(resources: Resources, words: str | None) -> None:
    found = lacking(needed(resources, MACHINE), MACHINE)
    assert found == (words and f"{words} Lower its resources, or run it on a larger machine.")


def test_a_machine_without_gpus_offers_none() -> None:
    assert str(lacking(Amount(1, 0, 1), Amount(8))).startswith("It asks for 1 GPU; this machine offers none.")


def test_fractions_add_up() -> None:
    free = Amount(1)
    for cpus in (0.3, 0.3, 0.4):
        assert free.holds(Amount(cpus))
        free = free - Amount(cpus)
    assert not free.holds(Amount(0.1))


amounts = st.builds(Amount, st.sampled_from([0, 0.5, 1, 2, 3]), st.integers(0, 4).map(GIB.__mul__), st.integers(0, 1))
shares = st.dictionaries(st.sampled_from("abcde"), amounts, max_size=5)
runs = st.sets(st.sampled_from("abcdef"), max_size=6)


@cases(500)
@given(shares, runs, st.sampled_from("abcdef"))
def test_no_more_is_offered_than_is_free(used: dict[str, Amount], wanting: set[str], run: str) -> None:
    machine = total(used.values()) + Amount(2, GIB, 1)
    offered, free = offer(machine, used, wanting, run), machine - total(used.values())
    assert free.holds(offered)
    assert offered.cpus >= 0
    assert (offered.memory, offered.gpus) == (free.memory, free.gpus)
    others = [used.get(other, Amount()).cpus for other in wanting - {run}]
    mine = used.get(run, Amount()).cpus
    if all(mine <= other for other in others):
        assert offered == free
    else:
        share = machine.cpus / len({other for other in used if used[other].cpus} | wanting | {run})
        assert mine + offered.cpus <= max(share, mine)


class Runs:
    """Runs with steps of one CPU, on one machine."""

    def __init__(self, cpus: int, todo: list[int]) -> None:
        self.machine = Amount(cpus)
        self.todo = dict(enumerate(todo))
        self.has = dict.fromkeys(self.todo, 0)

    def take(self, run: int) -> None:
        """Start what may be started."""
        used = {str(name): Amount(count) for name, count in self.has.items() if count}
        wanting = [str(name) for name, count in self.todo.items() if count]
        taken = min(self.todo[run], int(offer(self.machine, used, wanting, str(run)).cpus))
        self.todo[run] -= taken
        self.has[run] += taken

    def one_ends(self, random: Random) -> int:
        """A step ends. Its run asks first, then the others in any order."""
        ended = random.choice([run for run, count in self.has.items() for _ in range(count)])
        self.has[ended] -= 1
        for run in [ended, *random.sample(list(self.todo), len(self.todo))]:
            self.take(run)
        return ended


@cases(200)
@given(st.integers(1, 8), st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 2**32))
def test_nothing_is_idle_while_steps_wait(cpus: int, todo: list[int], seed: int) -> None:
    runs, random = Runs(cpus, todo), Random(seed)
    for run in runs.todo:
        runs.take(run)
    while any(runs.has.values()):
        runs.one_ends(random)
        assert sum(runs.has.values()) <= cpus
        assert sum(runs.has.values()) == cpus or not any(runs.todo.values())
    assert not any(runs.todo.values())


@cases(100)
@given(st.integers(2, 9), st.integers(2, 4), st.integers(0, 2**32))
def test_who_comes_later_soon_has_as_much(cpus: int, count: int, seed: int) -> None:
    runs, random = Runs(cpus, [10_000] * count), Random(seed)
    runs.take(0)
    assert runs.has[0] == cpus
    first = 0
    while first < cpus:  # by then, all that the first run had is given out anew
        first += runs.one_ends(random) == 0
    for _ in range(5 * cpus):
        runs.one_ends(random)
    assert all(runs.has[run] > 0 for run in runs.has) or count > cpus
    for _ in range(5 * cpus):
        runs.one_ends(random)
        assert max(runs.has.values()) - min(runs.has.values()) <= max(cpus % count, 1) + 1
