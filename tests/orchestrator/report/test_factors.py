"""Effects in a report: only where every cell is whole."""

from orchestrator.report.factors import effects_grid, incomplete
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep
from tests.orchestrator.report.recorded import asked, record_all

SWEEP = Sweep(
    name="factors", question="?", source="",
    design=Factorial({"speech_attention": [True, False], "loss": ["matching", "triplet"]}),
)  # fmt: skip
CELLS = [
    f"speech_attention={speech} loss={loss}"
    for speech in ("on", "off")
    for loss in ("matching", "triplet")
]


def _table(tmp_path, scores):
    storage, question = Storage(str(tmp_path)), asked(SWEEP, dataset="synth")
    record_all(storage, question, dict(zip(CELLS, scores, strict=False)))
    return collect([question], storage)


def test_effects_by_hand(tmp_path):
    table = _table(tmp_path, [[10.0], [20.0], [30.0], [60.0]])
    grid = effects_grid(table)
    assert {line.label: line.cells[0] for line in grid.lines} == {
        "grand mean": "30.00", "speech_attention=on": "−15.00", "speech_attention=off": "+15.00",
        "loss=matching": "−10.00", "loss=triplet": "+10.00",
        "speech_attention=on × loss=matching": "+5.00",
        "speech_attention=on × loss=triplet": "−5.00",
        "speech_attention=off × loss=matching": "−5.00",
        "speech_attention=off × loss=triplet": "+5.00",
    }  # fmt: skip
    assert len(grid.heads) == len(grid.lines[0].cells)
    assert incomplete(table) == []


def test_a_missing_cell_leaves_no_effects_and_is_said(tmp_path):
    table = _table(tmp_path, [[10.0], [20.0], [30.0]])
    assert effects_grid(table) is None
    assert incomplete(table) == [
        "synth: effects need every cell with all its seeds, but 3 of 4 are recorded so."
    ]
