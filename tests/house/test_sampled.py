"""A sample leaves no choice out of `make test`, and nothing out of `make soak`."""

from itertools import product

from tests.sampled import crossed, one_in


def in_every_run(cases):
    return [each for each in cases if not hasattr(each, "marks")]


def values(cases):
    return [getattr(each, "values", each) for each in cases]


def test_of_all_that_is_crossed_each_choice_is_in_every_run():
    letters, numbers, flags = "abcde", (1, 2, 3), (True, False)
    cases = crossed(letters, numbers, flags)
    assert values(cases) == list(product(letters, numbers, flags))
    taken = in_every_run(cases)
    assert len(taken) == len(letters)
    for at, choices in enumerate((letters, numbers, flags)):
        assert {each[at] for each in taken} == set(choices)


def test_one_in_so_many_is_in_every_run_the_first_among_them():
    assert in_every_run(one_in(4, range(10))) == [0, 4, 8]
    assert len(one_in(4, range(10))) == 10
