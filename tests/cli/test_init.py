"""`maild init`: a file to start from, and nothing of yours overwritten."""

import tomllib


def test_the_file_is_written_and_passes_the_check(maild, tmp_path):
    done = maild("init", tmp_path / "new" / "desk")
    path = tmp_path / "new" / "desk" / "maild.toml"
    assert (done.code, done.err) == (0, "")
    assert f"maild check -c {path}" in done.out
    assert maild("check", "-c", path).code == 0


def test_without_a_folder_it_is_the_one_we_stand_in(maild, tmp_path):
    assert maild("init", cwd=tmp_path).code == 0
    assert tomllib.loads((tmp_path / "maild.toml").read_text("utf-8"))["desk"]["reference"] == "CSM"


def test_a_file_that_is_there_is_left_alone(maild, tmp_path):
    path = tmp_path / "maild.toml"
    path.write_text("mine")
    done = maild("init", tmp_path)
    assert (done.code, done.out) == (64, "")
    assert done.err == f"{path} is there already: nothing was changed\n"
    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(maild, tmp_path):
    (tmp_path / "file").write_text("")
    done = maild("init", tmp_path / "file" / "below")
    assert done.code == 78
    assert "cannot be written: Not a directory" in done.err


def test_a_folder_in_the_place_of_the_file_is_told(maild, tmp_path):
    (tmp_path / "maild.toml").mkdir()
    assert maild("init", tmp_path).code == 64


def test_a_file_in_the_place_of_the_folder_is_told(maild, tmp_path):
    path = tmp_path / "desk.toml"
    path.write_text("mine")
    done = maild("init", path)
    assert (done.code, done.out) == (64, "")
    assert done.err == f"{path} is a file: name the folder that maild.toml is to lie in\n"


def test_the_sample_as_it_is_is_warned_of(maild, tmp_path):
    maild("init", tmp_path)
    done = maild("check", "-c", tmp_path / "maild.toml")
    assert "these addresses are examples" in done.out
    assert "is fine, but see the warning above" in done.out
