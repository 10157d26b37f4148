from PIL import Image

from data_shards.info import Row, plot_histogram, table
from data_shards.manifest import ClassCount, Manifest, Shard, Split


def made():
    def split(name, ids):
        classes = [ClassCount(id=i, name=f"c{i}", images=40 + i, captions=80) for i in ids]
        images = sum(c.images for c in classes)
        return Split(classes, [Shard(f"{name}-00000.tar", images, 80 * len(classes), "0" * 64)])

    splits = {"test": split("test", range(1, 21)), "train": split("train", range(21, 103))}
    return Manifest("oxford102", "here", options={}, speech={}, splits=splits)


def test_table_worked_by_hand():
    assert table(made()) == [
        Row("train", 82, 82 * 40 + sum(range(21, 103)), 82 * 80),
        Row("test", 20, 1010, 1600),
        Row("total", 102, 102 * 40 + 102 * 103 // 2, 102 * 80),
    ]


def test_histogram_is_a_wide_picture(tmp_path):
    plot_histogram(made(), tmp_path / "classes.png")
    with Image.open(tmp_path / "classes.png") as image:
        assert image.width > 2000  # room for 102 labels
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
