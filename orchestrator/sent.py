"""What went to MLflow."""

from dataclasses import dataclass


@dataclass
class Sent:
    """What was shipped, counted for people."""

    epochs: int = 0
    records: int = 0
    pictures: int = 0
    states: int = 0
    """Runs, the parent among them, that were given another final state."""
    models: int = 0
    """Winners that were registered."""
