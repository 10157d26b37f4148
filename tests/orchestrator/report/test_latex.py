"""LaTeX: escaped, balanced, every row as wide as the table says."""

import re

import pytest

from orchestrator.report.contents import document
from orchestrator.report.document import Document, Section
from orchestrator.report.grid import Grid, Head, Line
from orchestrator.report.latex import escape, latex
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def _report(tmp_path, sweep, scores, *, datasets=("oxford102",), **question):
    storage = Storage(str(tmp_path))
    questions = [asked(sweep, dataset=dataset, **question) for dataset in datasets]
    for each in questions:
        record_all(storage, each, scores)
    return document(collect(questions, storage), storage)


def _width(row):
    """Columns that a row fills; a \\multicolumn fills as many as it says."""
    row = re.sub(r"\\cmidrule\(lr\)\{[\d-]+\}", "", row.removesuffix(r"\\"))
    cells = re.split(r"(?<!\\)&", row)
    spans = [re.search(r"\\multicolumn\{(\d+)\}", cell) for cell in cells]
    return sum(int(span[1]) if span else 1 for span in spans)


@pytest.mark.parametrize(
    ("sweep", "datasets"),
    [("components", ("oxford102", "cub200")), ("flickr8k", ("flickr8k",)), ("loss", ("synth",))],
)
def test_structure(tmp_path, sweep, datasets):
    report = _report(tmp_path, sweep, {"VFSEL": [50.0, 51.0]}, datasets=datasets, seeds=2)
    text, tables = latex(report, "x"), [grid for grid in report.grids if grid.numeric]
    assert {"headline", "further", "cost"} <= {grid.name for grid in tables}
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    bare = re.sub(r"\\[{}]", "", body)
    assert bare.count("{") == bare.count("}")
    assert body.count(r"\begin{table}") == body.count(r"\end{table}") == len(tables)
    for table in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", body, re.DOTALL):
        columns = len(re.match(r"\{([lr]+)\}", table)[1])
        rows = [line for line in table.splitlines() if r" \\" in line]
        assert {_width(row.split(r" \\")[0] + r"\\") for row in rows} == {columns}
        assert [rule for rule in ("top", "mid", "bottom") if rf"\{rule}rule" in table] == [
            "top", "mid", "bottom",
        ]  # fmt: skip
    assert not re.search(r"[^\x00-\x7f]", body)  # pdflatex knows nothing else for sure


def test_missing_is_a_dash_with_its_note(tmp_path):
    report = _report(tmp_path, "loss", {"loss=matching": [50.0]}, datasets=("synth",))
    text = latex(report, "x")
    assert r"loss=triplet & 0 of 1 seeds & -- & -- & -- & -- \\" in text
    assert "--: not recorded yet (it is no zero)" in text


def test_escape():
    assert escape("R&D 50% a_b γ=13") == r"R\&D 50\% a\_b $\gamma$=13"
    assert escape("Chrupała ±2 −1 {x} \\") == (r"Chrupa\l{}a $\pm$2 $-$1 \{x\} \textbackslash{}")


def test_nothing_in_a_report_becomes_a_command_or_ends_a_comment():
    evil = "a\\input{x}\n\n%b & $c$ \u2028\x1b\\write18"
    grid = Grid("g", evil, [Head(name=evil, group=evil)], [Line(evil, [evil])], notes=[evil])
    text = latex(Document("q", [(evil, evil)], "s", [evil], [Section("h", grids=[grid])]), "x")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert body.count(r"a\textbackslash{}input\{x\}  \%b \& \$c\$") >= 5
    assert r"\input" not in body
    assert r"\write" not in body
    assert all(character.isprintable() or character == "\n" for character in text)
