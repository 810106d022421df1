"""Whatever comes, and at once: what a witness has cosigned of a log is one history."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.witness.asked import OTHER, TREE, Asked, request


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path)


def together(works):
    """Have each done by a thread of its own, and wait for all."""
    threads = [threading.Thread(target=work) for work in works]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def test_of_requests_at_once_one_is_cosigned_for_each_old_size(asked):
    for old in range(8):
        body, begin, answers = request(old, old + 1), threading.Barrier(6), []

        def ask(body=body, begin=begin, answers=answers):
            begin.wait()
            answers.append(asked.add(body))

        together([ask] * 6)
        counted = Counter(each.status for each in answers)
        assert counted == {200: 1, 409: 5}
        told = {each.body for each in answers if each.status == 409}
        assert told == {b"%d\n" % (old + 1)}


def test_of_two_histories_at_once_one_is_cosigned(asked):
    asked.add(request(0, 1))
    begin, answers = threading.Barrier(8), []

    def ask(number):
        body = request(1, 2 + number // 2, tree=(TREE, OTHER)[number % 2])
        begin.wait()
        answers.append(asked.add(body).status)

    together(partial(ask, each) for each in range(8))
    assert Counter(answers) == {200: 1, 409: 7}


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 12), st.integers(0, 12), st.sampled_from((TREE, OTHER))
        ),
        max_size=10,
    )
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_asked_all_that_was_cosigned_is_one_history(tmp_path, steps):
    asked = Asked(tmp_path)
    cosigned = []
    for old, size, tree in steps:
        if asked.add(request(old, size, tree=tree)).status == 200:
            cosigned.append((size, tree.mth(0, size)))
    assert any(
        all(tree.mth(0, size) == root for size, root in cosigned)
        for tree in (TREE, OTHER)
    )
    assert [size for size, _ in cosigned] == sorted(size for size, _ in cosigned)
