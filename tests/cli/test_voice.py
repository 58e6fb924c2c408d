"""A log that nobody can write costs no mail its 250, and the desk goes on."""

from maild.cli.voice import Voice


class Broken:
    def write(self, _):
        raise BrokenPipeError

    def flush(self):
        raise OSError(28, "No space left on device")


def test_what_cannot_be_written_is_lost_and_no_fault():
    voice = Voice(Broken())
    assert voice.write("words") == 5
    voice.flush()


def test_a_closed_stream(tmp_path):
    stream = (tmp_path / "log").open("w")
    voice = Voice(stream)
    voice.write("kept")
    voice.flush()
    stream.close()
    voice.write("lost")
    voice.flush()
    assert (tmp_path / "log").read_text() == "kept"
