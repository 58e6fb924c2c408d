from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/maild.db"
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what measures unless it is asked for by its mark: `pytest -m bench`."""
    if "bench" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("bench")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
