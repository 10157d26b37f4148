"""A report's tables of numbers as LaTeX, for a paper that loads `booktabs`."""

from orchestrator.report.document import Document
from orchestrator.report.grid import MISSING, Grid

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "|": r"\textbar{}", "<": r"\textless{}", ">": r"\textgreater{}", "`": r"\textasciigrave{}",
    "γ": r"$\gamma$", "ł": r"\l{}", "Ł": r"\L{}", "→": r"$\rightarrow$", "×": r"$\times$",
    "±": r"$\pm$", "−": r"$-$", "–": "--", "—": "---", "†": r"$^{\dagger}$",
    "‡": r"$^{\ddagger}$", "…": r"\dots{}", "≥": r"$\geq$", "≤": r"$\leq$", "²": r"$^{2}$",
    "§": r"\S{}", "’": "'", "“": "``", "”": "''", "\u00a0": "~",
}  # fmt: skip
_HEADER = [
    r"% Needs \usepackage{booktabs}. A table that is too wide for the page: \resizebox (graphicx),",
    r"% or sidewaystable (rotating) in the place of table.",
]
_ABSENT = "--"
_KEY = "--: not recorded yet (it is no zero), or nothing to compare with."


def latex(report: Document, label: str) -> str:
    r"""One `table` for each grid of numbers, for `\input` in a document with booktabs."""
    tables = [_table(grid, f"tab:{label}-{grid.name}") for grid in report.grids if grid.numeric]
    answers = [_comment(f"{name}: {sentence}") for name, sentence in report.answers]
    warnings = [_comment(f"Note: {warning}") for warning in report.warnings]
    return "\n".join([*_HEADER, *answers, *warnings, "", *tables])


def escape(text: str) -> str:
    """Text as LaTeX prints it, with its special characters and the signs that we use."""
    return "".join(_SPECIAL.get(character, _one_line(character)) for character in text)


def _comment(text: str) -> str:
    return f"% {_one_line(text)}"


def _one_line(text: str) -> str:
    """A line's end would end a comment, and a paragraph where none may end."""
    return "".join(character if character.isprintable() else " " for character in text)


def _table(grid: Grid, label: str) -> str:
    stub = 2 if grid.has_kinds else 1
    lines = [
        r"\begin{table}[t]",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{escape(grid.caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{'l' * stub}{_columns(grid)}}}",
        r"\toprule",
        *_heads(grid, stub),
        r"\midrule",
        *_lines(grid),
        r"\bottomrule",
        r"\end{tabular}",
        *_notes(grid),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _columns(grid: Grid) -> str:
    return "".join("l" if head.words else "r" for head in grid.heads)


def _heads(grid: Grid, stub: int) -> list[str]:
    """A row a level of heads; a rule below each head that spans columns."""
    lines = []
    for level in grid.levels:
        cells, rules, column = [""] * stub, "", stub + 1
        for text, count in grid.spans(level):
            cells.append(_span(text, count))
            if count > 1 and text:
                rules += rf"\cmidrule(lr){{{column}-{column + count - 1}}}"
            column += count
        lines.append(" & ".join(cells) + r" \\" + rules)
    return lines


def _span(text: str, count: int) -> str:
    return rf"\multicolumn{{{count}}}{{c}}{{{escape(text)}}}"


def _lines(grid: Grid) -> list[str]:
    lines, before = [], ""
    for line in grid.lines:
        again = line.label == before
        if before and not again and grid.has_kinds:
            lines.append(r"\addlinespace")
        kind = [escape(line.kind)] if grid.has_kinds else []
        cells = [_ABSENT if cell == MISSING else escape(cell) for cell in line.cells]
        lines.append(" & ".join(["" if again else escape(line.label), *kind, *cells]) + r" \\")
        before = line.label
    return lines


def _notes(grid: Grid) -> list[str]:
    absent = any(cell in (MISSING, "–") for line in grid.lines for cell in line.cells)
    notes = [note for note in grid.notes if not note.startswith(MISSING)]
    texts = [escape(note) for note in ([_KEY] if absent else []) + notes]
    return [rf"\par\smallskip\footnotesize {text}" for text in texts]
