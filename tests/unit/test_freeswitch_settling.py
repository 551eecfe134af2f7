"""Legs that were joined a moment ago are moved a moment later, and nothing of it is forgotten."""

from __future__ import annotations

import time

from telephony.answers import Answer, Answered, OnAnswer, ignore
from telephony.freeswitch.actions import EslAction, RingFor, bridge, hang_up, set_variable, transfer
from telephony.freeswitch.settling import SETTLES_S, TAKES_UP_S, Settling
from tests.waiting import run, until


class Link:
    """Keeps what is sent, and when."""

    def __init__(self) -> None:
        self.sent: list[EslAction] = []
        self.at_s: list[float] = []
        self.settling = Settling(self, time.monotonic)

    def send(self, action: EslAction, on_answer: OnAnswer) -> None:
        self.sent.append(action)
        self.at_s.append(time.monotonic())


def test_a_move_out_of_a_fresh_bridge_waits_until_both_are_in_it() -> None:
    async def scenario() -> None:
        link, began_s = Link(), time.monotonic()
        link.settling.joined("a", "b")
        moves = [transfer(["b"], "switchroom-idle", "s"), bridge("c", "a")]
        for move in moves:
            link.settling.send(move, ignore)
        assert (link.sent, link.settling.is_holding) == ([], True)
        await until(lambda: len(link.sent) == 2)
        assert link.sent == moves
        assert min(link.at_s) - began_s >= SETTLES_S - 0.001
        assert not link.settling.is_holding

    run(scenario())


def test_everything_else_goes_at_once() -> None:
    async def scenario() -> None:
        link = Link()
        link.settling.joined("a", "b")
        actions = [hang_up("a", 16), set_variable("b", "SR_IID", "x"), transfer(["c"], "switchroom-idle", "s")]
        for action in actions:
            link.settling.send(action, ignore)
        assert link.sent == actions

    run(scenario())


def test_a_lost_link_ends_what_is_held_back_as_cut_and_nothing_of_it_is_sent() -> None:
    async def scenario() -> None:
        link, answers = Link(), list[Answer]()
        link.settling.joined("a", "b")
        link.settling.send(transfer(["a"], "switchroom-idle", "s"), answers.append)
        link.settling.clear()
        assert answers == []
        later = transfer(["a"], "switchroom-wait", "moh")
        link.settling.send(later, ignore)
        await until(lambda: answers)
        assert [answer.how for answer in answers] == [Answered.CUT]
        assert link.sent == [later]
        assert not link.settling.is_holding

    run(scenario())


def test_a_channel_that_shall_ring_a_telephone_is_moved_only_after_it_has_begun() -> None:
    async def scenario() -> None:
        link, ring, move = Link(), RingFor("c", "user/1001", "leg_1"), transfer(["c"], "switchroom-return", "s")
        link.settling.send(ring, ignore)
        link.settling.send(move, ignore)
        link.settling.taken_up("leg_2")
        assert link.sent == [ring]
        link.settling.taken_up("leg_1")
        assert link.sent == [ring, move]
        link.settling.taken_up("leg_1")
        link.settling.send(move, ignore)
        assert link.sent == [ring, move, move]

    run(scenario())


def test_a_channel_that_never_begins_to_ring_is_moved_all_the_same() -> None:
    async def scenario() -> None:
        link, ring, move = Link(), RingFor("c", "user/1001", "leg_1"), transfer(["c"], "switchroom-return", "s")
        link.settling.send(ring, ignore)
        link.settling.send(move, ignore)
        await until(lambda: link.sent == [ring, move])
        assert link.at_s[1] - link.at_s[0] >= TAKES_UP_S - 0.001

    run(scenario())
