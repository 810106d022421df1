"""Who keeps a copy is asked at each start: newer, other and silent mean no writing."""

import pytest

from ledger.errors import Held
from ledger.keys.keyfile import read_key_file
from ledger.keys.signer import Signer
from ledger.log.anchor import Anchored
from ledger.log.targets import ask_targets, source_at
from ledger.store import Head
from tests.livelog import LiveLog
from tests.log.fakes import flip_in_tile, numbered
from tests.loopback import Server, answer, running
from verifier.source import Directory, Url

KEPT = numbered(6)


@pytest.fixture
def live(new_log):
    """A log with a target beside it, which has its newest checkpoint."""
    live = new_log(settings='targets = ["../copy"]\n')
    publish(live, live_checkpoint(live))
    live.append(*KEPT)
    publish(live, live_checkpoint(live))
    return live


def copy_of(live):
    return live.folder.parent / "copy"


def publish(live, checkpoint):
    copy_of(live).mkdir(exist_ok=True)
    (copy_of(live) / "checkpoint").write_bytes(checkpoint)


def live_checkpoint(live):
    with live.open(without=["../copy"]) as log:
        return log.checkpoint()


def signed(live, size, root, origin=None):
    """A checkpoint with the log's own signature, whatever it says."""
    signer = Signer(read_key_file(live.folder / "key"), live.charter.kind)
    signer.origin = origin or signer.origin
    head = Head(size=size, root=root)
    return signer.sign(Anchored(genesis=bytes(16), data=bytes(16)).at(head))


def hold_of(live, **options):
    with live.open(**options) as log:
        hold = log.hold
        if hold is None:
            return None
        with pytest.raises(Held):
            log.append([b"entry"])
        assert log.reading.entries(0, 6) == KEPT
        assert hold.mend
        return hold


# Who answers, and with what


def test_a_target_that_has_the_newest_tree_is_no_hindrance(live):
    assert hold_of(live) is None


def test_a_target_that_is_behind_is_no_hindrance(live):
    live.append(b"entry 6")
    assert hold_of(live) is None


def test_a_target_of_the_empty_log_is_no_hindrance(live):
    with live.open(without=["../copy"]) as log:
        publish(live, signed(live, 0, log.reading.root(0)))
    assert hold_of(live) is None


def test_a_target_that_is_ahead_means_we_were_put_back(live):
    publish(live, signed(live, 7, bytes(32)))
    hold = hold_of(live)
    assert hold.state == "rollback"
    assert "size 7" in str(hold)
    assert "../copy" in str(hold)


@pytest.mark.parametrize("size", [1, 5, 6])
def test_a_target_with_another_tree_means_two_histories(live, size):
    publish(live, signed(live, size, bytes(32)))
    assert hold_of(live).state == "forked"


def test_our_own_damage_is_not_taken_for_two_histories(live):
    live.append(*numbered(5_000, 6))
    live.given_up = True
    with live.open(without=["../copy"]) as log:
        flip_in_tile(log.store, (0, 0), 8_191 * 8)
    with live.open() as log:
        assert log.hold.state == "damaged"


def test_our_own_gap_is_named_and_the_rest_is_read(live):
    live.append(*numbered(5_000, 6))
    live.given_up = True
    with live.open(without=["../copy"]) as log:
        log.store.mend((0, 0), b"")
    with live.open() as log:
        assert log.hold.state == "damaged"
        assert log.reading.entry(5_000) == b"entry 5000"


# Who does not answer


@pytest.mark.parametrize(
    "spoil",
    [
        lambda live: (copy_of(live) / "checkpoint").unlink(),
        lambda live: copy_of(live).rename(copy_of(live).with_name("away")),
        lambda live: publish(live, b""),
        lambda live: publish(live, b"\xff" * 100),
        lambda live: publish(
            live, signed(live, 6, bytes(32)).replace(b"\n6\n", b"\n5\n")
        ),
        lambda live: publish(live, signed(live, 6, bytes(32), "log.example/other")),
        lambda live: publish(live, bytes(1 << 21)),
    ],
    ids=["no file", "no folder", "empty", "bytes", "unsigned", "other name", "large"],
)
def test_a_target_without_a_checkpoint_of_ours_is_silent(live, spoil):
    spoil(live)
    hold = hold_of(live)
    assert hold.state == "target_silent"
    assert "../copy" in str(hold)


def test_who_names_a_new_target_hears_how_it_is_begun(live):
    (copy_of(live) / "checkpoint").unlink()
    command = f"provlog export {live.folder} {live.folder}/../copy"
    assert hold_of(live).mend.endswith(f"; if it is new: {command}")


def test_a_checkpoint_that_others_have_signed_is_none_of_ours(live, tmp_path):
    other = LiveLog(tmp_path / "other")
    publish(live, live_checkpoint(other))
    assert hold_of(live).state == "target_silent"


def test_a_checkpoint_of_ours_that_others_have_cosigned_is_ours(live):
    with live.open() as log:
        publish(live, log.checkpoint(time=1_790_000_000))
    assert hold_of(live) is None


def test_a_silent_target_can_be_left_out_by_its_name_for_one_start(live):
    (copy_of(live) / "checkpoint").unlink()
    assert hold_of(live, without=["../copy"]) is None
    assert hold_of(live).state == "target_silent"


def test_one_that_is_ahead_is_not_asked_when_it_is_left_out(live):
    publish(live, signed(live, 7, bytes(32)))
    assert hold_of(live, without=["../copy"]) is None


def test_a_name_that_no_target_has_is_not_taken_for_one(live):
    hold = hold_of(live, without=["copy", "../copy"])
    assert hold.state == "config"
    assert "copy: that is no target and no anchor" in str(hold)


def test_each_of_several_is_asked(live):
    settings = live.folder / "log.toml"
    settings.write_text('min_free_bytes = 0\ntargets = ["../copy", "../second"]\n')
    assert "../second" in str(hold_of(live))
    assert hold_of(live, without=["../second"]) is None
    assert "../copy" not in str(hold_of(live, without=["../copy"]))


def test_without_targets_nobody_is_asked(new_log):
    live = new_log()
    with live.open() as log:
        keys = log._signer.verifier_keys()
        ask_targets([], folder=live.folder, store=log.store, keys=keys)


# Where


def test_a_folder_is_looked_for_beside_the_files_of_the_log(tmp_path):
    assert source_at("copy", tmp_path) == Directory(tmp_path / "copy")
    assert source_at("/srv/copy", tmp_path) == Directory(tmp_path / "/srv/copy")


@pytest.mark.parametrize("address", ["http://a.example/log", "https://a.example/log"])
def test_an_address_is_fetched_from(tmp_path, address):
    assert isinstance(source_at(address, tmp_path), Url)


@pytest.mark.parametrize("state", [None, "rollback", "target_silent"])
def test_a_target_behind_an_address_is_asked_as_well(live, state):
    checkpoint = signed(live, 7, bytes(32)) if state else live_checkpoint(live)
    says = answer(404) if state == "target_silent" else answer(body=checkpoint)
    server = Server()
    server.behaviours = [says]
    with running(server):
        settings = f'min_free_bytes = 0\ntargets = ["{server.prefix}"]\n'
        (live.folder / "log.toml").write_text(settings)
        hold = hold_of(live)
    assert (hold and hold.state) == state
    assert [path for path, _ in server.requests] == ["/log/checkpoint"]
