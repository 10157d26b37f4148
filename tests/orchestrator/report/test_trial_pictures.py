"""Pictures of trials: those that storage has, of the best cell and the baseline."""

from data_shards import files
from orchestrator.report.table import collect
from orchestrator.report.trial_pictures import trial_pictures
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def test_of_the_best_and_the_baseline_only_what_is_there(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("attention_placement")
    record_all(storage, question, {f"image_attention={at}": [r1] for at, r1 in
                                   (("none", 10.0), ("B3", 20.0), ("B4", 30.0))})  # fmt: skip
    none, b3, b4 = question.plan(storage).trials
    for trial, name in ((none, "gradcam"), (b3, "gradcam"), (b4, "gallery_s2i"), (b4, "other")):
        url = files.join(storage.pictures_url(trial.id), f"{name}.png")
        files.write_atomic(url, f"{trial.id} {name}".encode())
    found = trial_pictures(collect([question], storage), storage)
    assert [picture.name for picture in found] == [f"{b4.id}-gallery_s2i", f"{b3.id}-gradcam"]
    assert found[1].content == f"{b3.id} gradcam".encode()
    assert "image_attention=B3 seed=0" in found[1].alt


def test_nothing_recorded_shows_nothing(tmp_path):
    storage = Storage(str(tmp_path))
    assert trial_pictures(collect([asked("loss")], storage), storage) == []
