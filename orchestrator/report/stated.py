"""What statistics say of a sweep's records; SciPy and statsmodels are imported when it is asked."""

from typing import TYPE_CHECKING

from orchestrator.planning import Question
from orchestrator.storage import Storage

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Estimate, Findings


def stated(question: Question, storage: Storage) -> "Findings":
    """Means and differences with their intervals and verdicts."""
    from orchestrator.statistics.findings import findings

    return findings(question, storage)


def flattered(question: Question, storage: Storage) -> "Estimate | None":
    """What choosing epochs on the test split adds to R@1 sum, in points; None where the records do
    not hold both choices."""
    from orchestrator.statistics.oracle import flattery

    return flattery(question, storage)
