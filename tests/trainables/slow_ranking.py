"""The obvious way to rank and to score: one query at a time, whole sorts, plain Python."""

import numpy as np


def ranked(scores: np.ndarray, classes: np.ndarray, wanted: int) -> list[bool]:
    """Relevance down the ranking: score descending, then gallery index ascending."""
    order = sorted(range(len(scores)), key=lambda g: (-scores[g], g))
    return [classes[g] == wanted for g in order]


def query_values(relevant: list[bool]) -> dict[str, float]:
    """Rank of the first relevant item and the three average precisions at 50."""
    top = relevant[:50]
    hits = [rank for rank, is_hit in enumerate(top, start=1) if is_hit]
    precision = sum((before + 1) / rank for before, rank in enumerate(hits))
    thesis = sum(1.0 if rank == 1 else before / rank for before, rank in enumerate(hits))
    return {
        "rank": relevant.index(True) + 1 if True in relevant else len(relevant) + 1,
        "map50": precision / max(1, min(50, sum(relevant))),
        "map50_hits": precision / max(1, len(hits)),
        "map50_thesis": thesis / max(1, len(hits)),
    }


def direction(
    query: np.ndarray, gallery: np.ndarray, query_class: np.ndarray, gallery_class: np.ndarray
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Summary and per-query values of one direction."""
    rankings = [
        ranked(gallery @ vector, gallery_class, wanted)
        for vector, wanted in zip(query, query_class, strict=True)
    ]
    rows = [query_values(relevant) for relevant in rankings]
    values = {name: [row[name] for row in rows] for name in rows[0]}
    summary = {f"r{k}": 100 * np.mean([any(row[:k]) for row in rankings]) for k in (1, 5, 10)}
    summary |= {name: 100 * np.mean(values[name]) for name in values if name != "rank"}
    summary["medr"] = np.median(values["rank"])
    summary["chance"] = 100 * np.mean([np.mean(relevant) for relevant in rankings])
    return summary, values
