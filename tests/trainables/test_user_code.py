"""Files of the user's own: what is wrong with one is said in one line, with its place."""

import pytest

from data_shards.errors import UsageError
from trainables import user_code


def test_a_file_is_run_from_its_text_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from dataclasses import dataclass\n\n@dataclass\nclass A:\n    x: int = 3\n")
    module = user_code.run(user_code.read(path), name="own_mine", shown="mine.py")
    assert module.A().x == 3
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


def test_a_file_changed_within_a_second_is_run_as_it_is_now(tmp_path):
    path = tmp_path / "mine.py"
    for value in (1, 2, 3):
        path.write_text(f"X = {value}\n")
        module = user_code.run(user_code.read(path), name="own_mine", shown="mine.py")
        assert vars(module)["X"] == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ny = (\n", r"mine\.py:2: '\(' was never closed: mend it"),
        (
            "x = 1\nx.foo\n",
            r"mine\.py:2: AttributeError: 'int' object has no attribute 'foo': mend",
        ),
        ("import no_such\n", r"mine\.py:1: ModuleNotFoundError: No module named 'no_such': mend"),
        ("import json\njson.loads('{')\n", r"mine\.py:2: JSONDecodeError: "),
        ("raise SystemExit('no\\nmore')\n", r"mine\.py:1: SystemExit: no more: mend"),
    ],
)
def test_an_error_is_one_line_with_its_place(tmp_path, text, line):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(UsageError, match=line) as raised:
        user_code.run(user_code.read(path), name="own_mine", shown="mine.py")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["3x.py", "a-b.py", "../x.py", "é.py", "x.txt", ".py"])
def test_a_name_that_cannot_name_a_sweep_is_refused(name):
    with pytest.raises(UsageError, match="must be named like my_file.py"):
        user_code.check_name(name)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory.*orchestrator new"):
        user_code.read(tmp_path / "nowhere.py")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        user_code.read(tmp_path / "folder.py")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="must be text in UTF-8"):
        user_code.read(tmp_path / "bytes.py")
    (tmp_path / "huge.py").write_bytes(b"#" * (user_code.LARGEST + 1))
    with pytest.raises(UsageError, match="must be at most"):
        user_code.read(tmp_path / "huge.py")
    (tmp_path / "null.py").write_bytes(b"x = 1\0")
    with pytest.raises(UsageError, match="null bytes"):
        user_code.read(tmp_path / "null.py")
