"""Lock of an output: an interrupt at any line leaves no lock file, and no other run's lock is touched."""

import fcntl
import os

import pytest

from rramkit import lock
from rramkit.errors import InputError


@pytest.mark.parametrize("call", ["open", "flock"])
def test_an_interrupt_while_locking_leaves_no_file(tmp_path, monkeypatch, call):
    module, true = (os, os.open) if call == "open" else (fcntl, fcntl.flock)
    calls = []

    def interrupted(*arguments, **named):
        done = true(*arguments, **named)
        calls.append(done)
        if len(calls) == 1:  # after the call, before its result is at hand
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(module, call, interrupted)
    with pytest.raises(KeyboardInterrupt), lock.only_writer(tmp_path / "out.h5"):
        pytest.fail("the lock was given")
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_refused_and_the_first_keeps_its_lock(tmp_path):
    output = tmp_path / "out.h5"
    with lock.only_writer(output):
        with pytest.raises(InputError, match=f"process {os.getpid()}"), lock.only_writer(output):
            pytest.fail("two writers")
        assert [path.name for path in tmp_path.iterdir()] == [".out.h5.lock"]
    assert list(tmp_path.iterdir()) == []
