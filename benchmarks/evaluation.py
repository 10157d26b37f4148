"""Retrieval metrics at the size of CUB's test set against what they cannot do without.

Random unit embeddings around class centres, so that ranks are neither perfect nor at chance. The
two matrix products are whole ones: no chunk of ours, and so no slowness of small chunks, is in
them. The usual loop takes a query at a time, sorts the gallery and adds up the top 50 in Python.
"""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.figures import Figure, seconds, side_by_side
from trainables.metrics import retrieval
from trainables.ranking import TOP

CAPTIONS, IMAGES, EMBEDDING, CLASSES = 29_330, 2_933, 2_048, 50
ASKED = 300
"""Queries of each direction that the loop is timed on; the rest is extrapolated."""

Ranking = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Side:
    """Embeddings of one modality and their classes."""

    embedding_BE: Tensor
    class_B: Tensor


def measure() -> Iterator[Figure]:
    """Memory first: the peak of a process never falls."""
    torch.set_num_threads(2)
    generator = torch.Generator().manual_seed(0)
    centre_CE = torch.randn(CLASSES, EMBEDDING, generator=generator)
    speech, image = (_side(count, centre_CE, generator) for count in (CAPTIONS, IMAGES))
    found = partial(_retrieval, speech, image)
    yield _memory(found, speech, image)
    ours, products = side_by_side(found, partial(_products, speech, image), rounds=3)
    yield Figure(
        what="R@k, median rank and three mAP@50 in both directions / the two matrix products",
        value=ours / products,
        at_most=1.5,
        note=f"{CAPTIONS:,} × {IMAGES:,} × {EMBEDDING:,}: {ours:.2f} s / {products:.2f} s",
    )
    loop = _loop(speech, image) + _loop(image, speech)
    yield Figure(
        what="the usual loop over queries / the same metrics",
        value=loop / ours,
        at_least=50,
        note=f"{loop:.0f} s, extrapolated from {ASKED} queries of each direction / {ours:.2f} s",
    )


def _side(count: int, centre_CE: Tensor, generator: torch.Generator) -> Side:
    """So noisy that half of the captions find an image of their class first."""
    class_B = torch.randint(len(centre_CE), (count,), generator=generator)
    noise_BE = torch.randn(count, centre_CE.shape[1], generator=generator)
    noise_BE.mul_(6).add_(centre_CE[class_B])
    return Side(torch.nn.functional.normalize(noise_BE, out=noise_BE), class_B)


def _retrieval(speech: Side, image: Side) -> dict[str, float]:
    found = retrieval(speech.embedding_BE, image.embedding_BE, speech.class_B, image.class_B)
    return found.metrics


def _products(speech: Side, image: Side) -> None:
    """One after the other is freed, as it is with chunks."""
    torch.mm(speech.embedding_BE, image.embedding_BE.T)
    torch.mm(image.embedding_BE, speech.embedding_BE.T)


def _memory(found: partial[dict[str, float]], speech: Side, image: Side) -> Figure:
    """Peak of this process above what it holds before, libraries' buffers included."""
    before = _resident_mib()
    metrics = found()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    size = sum(side.embedding_BE.nbytes for side in (speech, image)) / 2**20
    return Figure(
        what="peak memory of the metrics beside the embeddings",
        value=(peak - before) / 2**10,
        unit="GiB",
        at_most=1,
        note=f"embeddings: {size:.0f} MiB; found: s2i R@1 {metrics['s2i_r1']:.0f} %, i2s "
        f"{metrics['i2s_r1']:.0f} %",
    )


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _loop(asking: Side, gallery: Side) -> float:
    """Seconds of one direction, extrapolated from the first queries."""
    query_QE, gallery_GE = asking.embedding_BE[:ASKED].numpy(), gallery.embedding_BE.numpy()
    query_class_Q, gallery_class_G = asking.class_B.numpy(), gallery.class_B.numpy()

    def ask() -> None:
        for query_E, wanted in zip(query_QE, query_class_Q, strict=False):
            _one_query(gallery_class_G[np.argsort(-(gallery_GE @ query_E))] == wanted)

    return seconds(ask) * len(asking.class_B) / ASKED


def _one_query(relevant_G: Ranking) -> tuple[int, float, float, float]:
    """Rank of the first relevant item and the three average precisions of the top 50."""
    hits, precision, thesis = 0, 0.0, 0.0
    for rank, hit in enumerate(relevant_G[:TOP], start=1):
        if hit:
            thesis += 1 if rank == 1 else hits / rank
            hits += 1
            precision += hits / rank
    first, relevant = int(relevant_G.argmax()) + 1, int(relevant_G.sum())
    return first, precision / min(TOP, relevant), precision / max(1, hits), thesis / max(1, hits)
