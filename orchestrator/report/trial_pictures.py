"""Pictures that a trial left in storage: of the best cell and of the baseline."""

from data_shards import files
from orchestrator.report.drawing import Picture
from orchestrator.report.table import Group, Table
from orchestrator.storage import Storage

_SHOWN = {
    "gradcam_side_by_side": "where the match comes from in each cell (Grad-CAM, as Figure 5.5)",
    "gradcam": "where on the photograph its match with a spoken caption comes from (Grad-CAM)",
    "speech_attention": "which moments of a spoken caption are attended to",
    "gallery_s2i": "spoken captions, and the photographs ranked first for each",
    "gallery_i2s": "photographs, and the spoken captions ranked first for each",
    "learning": "learning curves",
}


def trial_pictures(table: Table, storage: Storage) -> list[Picture]:
    """Those that are there, of the first recorded trial of the best cell and of the baseline."""
    return [
        picture
        for group in table.groups
        for label in _cells(table, group)
        for picture in _of_cell(group, label, storage)
    ]


def _cells(table: Table, group: Group) -> list[str]:
    best = group.answer.best
    return list(dict.fromkeys([best.label] if best else []) | {table.baseline: None})


def _of_cell(group: Group, label: str, storage: Storage) -> list[Picture]:
    trial = next((t for t in group.trials_of(label) if t.id in group.records), None)
    if trial is None:
        return []
    folder = storage.pictures_url(trial.id)
    there = set(files.names(folder))
    return [
        Picture(
            f"{trial.id}-{name}",
            f"{group.name}, {trial.name}: {what}.",
            f"Picture of trial {trial.name} on {group.name}: {what}.",
            files.read_bytes(files.join(folder, f"{name}.png")) or b"",
        )
        for name, what in _SHOWN.items()
        if f"{name}.png" in there
    ]
