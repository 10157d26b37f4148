"""From nothing to a search in one's own photographs: the commands of the docs, one by one."""

import re
import shlex
from pathlib import Path

import pytest

from tests.data_shards.own_folder import own_folder, record
from tests.orchestrator.command import TINY, run

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = "python -m orchestrator "
SMALL = {"pack": ["--captions", "1", "--voices", "2", "--workers", "1"],
         "verify": ["--workers", "1"],
         "sweep": [*TINY, "--set", "batch_size=8", "--set", "epochs=1"]}  # fmt: skip
"""What spares time, behind the words of the docs."""


def _commands():
    block = re.search(r"```sh\n(.*?)```", (DOCS / "your-data.md").read_text(), re.DOTALL)[1]
    return block.splitlines()


@pytest.mark.slow
def test_five_commands_lead_from_nothing_to_a_search_in_own_photographs(tmp_path):
    own_folder(tmp_path / "MINE", classes=13, images=3)
    record(tmp_path, "asked", "question.wav").rename(tmp_path / "question.wav")
    venv, *ours = _commands()
    assert venv.startswith("make venv")
    assert len(ours) == 4
    for command in ours:
        assert command.startswith(PROGRAM)
        words = shlex.split(command.removeprefix(PROGRAM))
        more = next((SMALL[word] for word in words if word in SMALL), [])
        ended = run(*words, *more, folder=tmp_path, timeout=600)
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "query.html\n"
    page = (tmp_path / "query.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 9  # 3 test classes of 3
    assert "kind 0" in page
