"""The sweep: legs that the PBX has no more although no event said so; for every kind of PBX."""

from __future__ import annotations

import asyncio

import pytest

from routing.core.facts import EndedBy, Fact, LegEnded
from telephony import housekeeping
from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch.legs import Legs
from telephony.freeswitch.settings import FreeswitchSettings
from telephony.housekeeping import Housekeeping
from telephony.legs import Leg, LegKind
from tests.waiting import run, until

pytestmark = pytest.mark.req("SAFE-01")


class Chores:
    """Lists what it is given; `beats` are the signs of life."""

    def __init__(self) -> None:
        self.is_up = True
        self.listed: set[str] | None = set()
        self.asked = 0
        self.clock: int | None = 1000
        self.beats: list[int] = []

    async def clock_s(self) -> int | None:
        return self.clock

    def beat(self, epoch_s: int, on_answer: OnAnswer) -> None:
        self.beats.append(epoch_s)
        on_answer(Answer(Answered.SUCCESS))

    async def channels(self) -> set[str] | None:
        self.asked += 1
        return self.listed


class House:
    """`now` stands still unless a test moves it."""

    def __init__(self, sweep_interval_s: float = 0.02) -> None:
        self.now, self.chores, self.legs = 100.0, Chores(), Legs("p")
        self.facts: list[Fact] = []
        settings = FreeswitchSettings(pbx="p", secret="s", sweep_interval_s=sweep_interval_s, beat_interval_s=5.0)
        self.house = Housekeeping(settings, self.chores, self.legs, self.facts.extend, lambda: True, lambda: self.now)
        self.legs.add(Leg(leg_id="leg_u", uid="u", kind=LegKind.ARRIVED, is_up=True, known_since=0.0))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "GRACE_S", 0.03)


VANISHED = LegEnded(pbx="p", leg_id="leg_u", ended_by=EndedBy.UNKNOWN)


def test_a_leg_that_is_not_listed_ends_after_a_moment_of_grace() -> None:
    async def play() -> None:
        house = House()
        house.house.run()
        await until(lambda: house.chores.asked)
        assert house.facts == []
        await until(lambda: house.facts)
        house.house.stop()
        assert house.facts == [VANISHED]

    run(play())


@pytest.mark.parametrize("change", ["ended", "link lost", "listed", "young", "not told"])
def test_a_leg_that_ends_by_itself_is_listed_or_new_is_left_alone(change: str) -> None:
    async def play() -> None:
        house = House()
        leg = house.legs.all()[0]
        match change:
            case "listed":
                house.chores.listed = {"u"}
            case "young":
                leg.known_since = house.now - housekeeping.YOUNG_S
            case "not told":
                house.chores.listed = None
        house.house.run()
        await until(lambda: house.chores.asked)
        if change == "ended":
            house.legs.drop(leg)
        if change == "link lost":
            house.chores.is_up = False
        await until(lambda: house.chores.asked >= 4)
        house.house.stop()
        assert house.facts == []

    run(play())


def test_a_reason_to_sweep_soon_makes_one_sweep_and_another_one_after_it_the_next() -> None:
    async def play() -> None:
        house = House(sweep_interval_s=60.0)
        house.chores.listed = {"u"}
        house.house.sweep_soon()
        assert house.chores.asked == 0  # nothing runs yet
        house.house.run()
        for _ in range(5):
            house.house.sweep_soon()
        await until(lambda: house.chores.asked)
        house.house.sweep_soon()
        await until(lambda: house.chores.asked == 2)
        house.house.stop()

    run(play())


def test_many_reasons_do_not_put_a_sweep_off_for_ever() -> None:
    async def play() -> None:
        house = House(sweep_interval_s=60.0)
        house.house.run()

        async def nag() -> None:
            while not house.chores.asked:
                house.house.sweep_soon()
                await asyncio.sleep(0)

        await asyncio.wait_for(nag(), 5)
        house.house.stop()

    run(play())


@pytest.mark.req("FLOW-04")
def test_signs_of_life_keep_their_distance_and_a_new_link_gives_one_at_once() -> None:
    async def play() -> None:
        house = House()
        await house.house.begin()
        for epoch_s in (1001, 1004, 1005, 1009, 1010):
            house.house.beat(epoch_s)
        assert house.chores.beats == [1000, 1005, 1010]
        house.chores.clock = 1011
        await house.house.begin()
        assert house.chores.beats[-1] == 1011
        house.chores.clock = None
        await house.house.begin()
        assert house.chores.beats[-1] == 1011

    run(play())
