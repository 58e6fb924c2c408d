import asyncio

from maild.store import Ledger

CONFIG = '[desk]\naddress = "csm@desk.example"\ndata_dir = "data"\n'


def test_it_makes_the_ledger(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    done = process("migrate", "-c", tmp_path / "maild.toml")
    assert (done.returncode, (tmp_path / "data" / "maild.db").is_file()) == (0, True)


def test_a_ledger_in_use_is_left_alone(process, tmp_path):
    (tmp_path / "maild.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()

    async def beside_it():
        ledger = await Ledger.open(f"sqlite:///{tmp_path}/data/maild.db", exclusive=True)
        try:
            return await asyncio.to_thread(process, "migrate", "-c", tmp_path / "maild.toml")
        finally:
            await ledger.close()

    done = asyncio.run(beside_it())
    assert done.returncode == 75
    assert "stop the daemon" in done.stderr
