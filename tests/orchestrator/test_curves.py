"""A trial's curves."""

from orchestrator import curves

REPORTS = [
    {"epoch": 1, "loss": 2.5, "time": 7.0, "metrics": {"s2i_r1": 10.0, "i2s_r1": 20.0}},
    {"epoch": 2, "loss": 1.5, "time": 9.0, "metrics": {"s2i_r1": 30.0, "i2s_r1": 40.0}},
]


def test_as_csv() -> None:
    assert curves.as_csv(REPORTS) == (
        "epoch,loss,s2i_r1,i2s_r1\n1,2.5,10.0,20.0\n2,1.5,30.0,40.0\n"
    )


def test_as_csv_empty() -> None:
    assert curves.as_csv([]) == "\n"


def test_figure() -> None:
    loss, recall = curves.figure(REPORTS, title="gamma=13 seed=0").axes
    assert list(loss.lines[0].get_ydata()) == [2.5, 1.5]
    assert [list(line.get_ydata()) for line in recall.lines] == [[10.0, 30.0], [20.0, 40.0]]
    assert [line.get_label() for line in recall.lines] == ["speech → image", "image → speech"]


def test_figure_without_metrics() -> None:
    (line, _) = curves.figure([REPORTS[0] | {"metrics": {}}], title="x").axes[1].lines
    assert str(line.get_ydata()[0]) == "nan"
