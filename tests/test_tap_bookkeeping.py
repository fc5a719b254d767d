"""What a tap keeps in mind between messages: who the clients are, and does the heart beat."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kspy.tap.clients import SETTLE_NS, Clients
from kspy.tap.heartbeat import LOST_AFTER_NS, Heartbeat

SETTLED = 10 * SETTLE_NS


def test_clients_are_numbered_in_the_order_of_their_first_message() -> None:
    clients = Clients()
    assert clients.sender(b"i", "s", 0) == (1, True)
    assert clients.sender(b"j", "t", 0) == (2, True)
    assert clients.sender(b"i", "s", 0) == (1, False)
    assert clients.addressed(b"j") == 2
    assert clients.asked("t") == 2
    assert clients.addressed(b"nobody") == clients.asked("nobody") == 0


def test_sockets_that_share_a_session_are_one_client() -> None:
    clients = Clients()
    assert clients.sender(b"shell", "s", 0) == (1, True)
    assert clients.sender(b"control", "s", 0) == (1, False)
    assert clients.addressed(b"control") == 1


def test_clients_without_a_session_are_known_by_their_identity() -> None:
    clients = Clients()
    assert clients.sender(b"i", "", 0) == (1, True)
    assert clients.sender(b"j", "", 0) == (2, True)
    assert clients.sender(b"i", "", 0) == (1, False)
    assert clients.asked("") == 0


@given(st.lists(st.tuples(st.sampled_from([b"i", b"j", b"k"]), st.sampled_from(["s", "t", ""]))))
def test_numbers_are_given_without_holes_and_stay(senders: list[tuple[bytes, str]]) -> None:
    clients = Clients()
    fresh = []
    for identity, session in senders:
        number, new = clients.sender(identity, session, 0)
        if new:
            fresh.append(number)
        assert clients.addressed(identity) == number
        assert clients.sender(identity, session, 0) == (number, False)
    assert fresh == list(range(1, len(fresh) + 1))


def test_the_connection_of_a_lone_new_client_is_known_when_it_ends() -> None:
    clients = Clients()
    clients.connected(7)
    clients.sender(b"i", "s", 0)
    clients.settle(SETTLED)
    clients.connected(8)
    clients.sender(b"j", "t", SETTLED)
    clients.settle(2 * SETTLED)
    assert (clients.left(8), clients.left(7)) == (2, 1)
    assert clients.left(7) == 0


def test_where_two_came_at_once_nothing_is_claimed() -> None:
    clients = Clients()
    for fd, identity in ((7, b"i"), (8, b"j")):
        clients.connected(fd)
        clients.sender(identity, identity.decode(), 0)
    clients.settle(SETTLED)
    assert (clients.left(7), clients.left(8)) == (0, 0)


def test_a_heart_that_stops_and_beats_again() -> None:
    heartbeat = Heartbeat()
    heartbeat.ping(0)
    assert heartbeat.check(LOST_AFTER_NS - 1) is None
    heartbeat.ping(5)  # clients go on asking
    waited = LOST_AFTER_NS
    assert heartbeat.check(waited) == ("heartbeat_lost", {"waited_ns": waited})
    assert heartbeat.check(2 * waited) is None
    assert heartbeat.pong(3 * waited) == ("heartbeat_back", {"waited_ns": 3 * waited})
    assert heartbeat.pong(3 * waited + 1) is None


@given(st.lists(st.integers(0, LOST_AFTER_NS - 1), max_size=30))
def test_a_heart_that_beats_is_never_lost(delays: list[int]) -> None:
    heartbeat = Heartbeat()
    now = 0
    for delay in delays:
        heartbeat.ping(now)
        now += delay
        assert heartbeat.check(now) is None
        assert heartbeat.pong(now) is None
    assert heartbeat.check(now + 10 * LOST_AFTER_NS) is None  # nobody asks
