"""The last line of `doctor`."""

import pytest

from orchestrator.cli.doctor import _end
from orchestrator.doctor.check import Check


def _check(level):
    return Check("ray", level, "text")


@pytest.mark.parametrize(
    ("levels", "said", "code"),
    [
        ([], "0 errors, 0 warnings.\n", 0),
        (["error", "ok"], "1 error, 0 warnings.\n", 1),
        (["warning", "error", "error"], "2 errors, 1 warning.\n", 1),
    ],
)
def test_the_sum_is_said_in_grammar(levels, said, code, capsys):
    assert _end([_check(level) for level in levels], as_json=False) == code
    assert capsys.readouterr().err == said
