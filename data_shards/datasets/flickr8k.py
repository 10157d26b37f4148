"""Flickr8k photographs (Hodosh et al. 2013) with the spoken captions of Harwath and Glass 2015.

Layout: `Flicker8k_Dataset/*.jpg`, `wavs/*.wav`, `wav2capt.txt` (`<wav> <jpg> #<n>` a line),
`wav2spk.txt` (`<wav> <speaker>`) and the official splits `Flickr_8k.trainImages.txt`,
`Flickr_8k.devImages.txt`, `Flickr_8k.testImages.txt` (one jpg a line). Optional:
`Flickr8k.token.txt` (`<jpg>#<n>`, a tab, the text), else captions have no text. An image is a class
of its own: only its own captions are relevant to it (thesis, section 5.1).
"""

from pathlib import Path

from data_shards.datasets import lists
from data_shards.datasets.base import Photograph, Source, Take
from data_shards.errors import DataError, UsageError

_SPLITS = {
    "train": "Flickr_8k.trainImages.txt",
    "val": "Flickr_8k.devImages.txt",
    "test": "Flickr_8k.testImages.txt",
}
_IMAGES, _WAVS = "Flicker8k_Dataset", "wavs"
_CAPTIONS, _SPEAKERS, _TEXTS = "wav2capt.txt", "wav2spk.txt", "Flickr8k.token.txt"
_JPG = r"([^/\s#]+\.jpg)"
_WAV = r"([^/\s]+\.wav)"


def read(root: Path) -> Source:
    """Read splits, captions and speakers; photographs and recordings are only located.

    Images that are not there, in no split, or without a line in `wav2capt.txt` are left out and
    counted. An image's class is its place, from 1, among the names of all three splits.

    Args:
        root: folder in the layout above.

    Raises:
        UsageError: `root` is no folder.
        DataError: a file is missing or damaged, the lists disagree, or an image is in two splits
            or in nothing but a split.
    """
    _check_layout(root)
    split_of, takes = _split_of(root), _takes(root)
    there = {path.name for path in (root / _IMAGES).glob("*.jpg")}
    _check_known(split_of, known=there | takes.keys())
    texts = _texts(root)
    images = {
        name: _photograph(root, name, class_id=class_id, numbers=sorted(takes[name]), texts=texts)
        for class_id, name in enumerate(sorted(split_of), start=1)
        if name in there and name in takes
    }
    parts = {
        split: [image for name, image in images.items() if split_of[name] == split]
        for split in _SPLITS
    }
    said = "captions without texts" if texts is None else "captions with texts"
    return Source(
        dataset="flickr8k",
        description=f"Flickr8k in the official layout and splits, {said}",
        train=parts["train"],
        val=parts["val"],
        test=parts["test"],
        takes={
            image.image_id: {
                place: takes[name][number] for place, number in enumerate(sorted(takes[name]))
            }
            for name, image in images.items()
        },
        skipped=_skipped(set(split_of), there=there, spoken=set(takes)),
    )


def _check_layout(root: Path) -> None:
    if not root.is_dir():
        raise UsageError(f"root must be a folder in the Flickr8k layout, but {root} is none.")
    for name in (_IMAGES, _WAVS):
        if not (root / name).is_dir():
            raise DataError(f"a Flickr8k folder must hold {name}/, but {root / name} is missing.")


def _split_of(root: Path) -> dict[str, str]:
    """The split of each image that is in one."""
    found: dict[str, str] = {}
    for split, file in _SPLITS.items():
        for name in lists.rows(root / file, _JPG, example="1000268201_693b08cb0e.jpg"):
            if name in found:
                raise DataError(
                    f"an image must be in one split, but {name} is in {_SPLITS[found[name]]} and "
                    f"in {file}."
                )
            found[name] = split
    return found


def _takes(root: Path) -> dict[str, dict[int, Take]]:
    """Recordings by image and number of the caption."""
    captions = lists.rows(root / _CAPTIONS, rf"{_WAV} {_JPG} #(\d+)", example="a_0.wav a.jpg #0")
    speakers = lists.rows(root / _SPEAKERS, rf"{_WAV} (\d+)", example="a_0.wav 1")
    found: dict[str, dict[int, Take]] = {}
    for wav, (name, number) in captions.items():
        if wav not in speakers:
            raise DataError(f"{root / _SPEAKERS} must name every wav, but has not {wav}.")
        takes = found.setdefault(name, {})
        if int(number) in takes:
            raise DataError(
                f"a caption must have one recording, but {name} #{number} has "
                f"{takes[int(number)].path.name} and {wav}."
            )
        takes[int(number)] = Take(root / _WAVS / wav, voice=f"speaker {speakers[wav][0]}")
    return found


def _check_known(split_of: dict[str, str], *, known: set[str]) -> None:
    for name, split in split_of.items():
        if name not in known:
            raise DataError(
                f"an image of a split must be in {_IMAGES}/ or {_CAPTIONS}, but {name} of "
                f"{_SPLITS[split]} is in neither."
            )


def _texts(root: Path) -> lists.Rows | None:
    """Texts by `<jpg>#<n>`, if there are any."""
    if not (root / _TEXTS).exists():
        return None
    return lists.rows(root / _TEXTS, r"(\S+#\d+)\t(.*)", example="a.jpg#0\tA dog runs .")


def _photograph(
    root: Path, name: str, *, class_id: int, numbers: list[int], texts: lists.Rows | None
) -> Photograph:
    image_id = name.removesuffix(".jpg")
    return Photograph(
        image_id=image_id,
        class_id=class_id,
        class_name=image_id,
        captions=tuple(_text(f"{name}#{number}", texts=texts) for number in numbers),
        path=root / _IMAGES / name,
    )


def _text(caption: str, *, texts: lists.Rows | None) -> str:
    if texts is None:
        return ""
    if caption not in texts:
        raise DataError(f"{_TEXTS} must have every recorded caption, but has not {caption}.")
    return texts[caption][0].strip()


def _skipped(listed: set[str], *, there: set[str], spoken: set[str]) -> dict[str, int]:
    counts = {
        "images listed but absent": len(listed - there),
        "images in no split": len(there - listed),
        "images without a recording": len((listed & there) - spoken),
    }
    return {reason: count for reason, count in counts.items() if count}
