"""What ran: our own version and those of the packages that make the numbers."""

import numpy
import optuna
import PIL
import ray
import torch
import torchaudio
import torchvision
import webdataset

from orchestrator import version


def test_versions_are_those_that_the_packages_give_themselves():
    modules = {
        "torch": torch, "torchvision": torchvision, "torchaudio": torchaudio, "numpy": numpy,
        "pillow": PIL, "webdataset": webdataset, "ray": ray, "optuna": optuna,
    }  # fmt: skip
    assert version.package_versions() == {
        name: module.__version__.partition("+")[0] for name, module in modules.items()
    }


def test_a_package_without_a_version_ends_no_trial(monkeypatch):
    monkeypatch.setattr(version, "PACKAGES", ("numpy", "no-such-package"))
    assert version.package_versions() == {"numpy": numpy.__version__}


def test_a_job_is_told_what_code_it_is(monkeypatch):
    version.code_version.cache_clear()
    monkeypatch.setenv(version.CODE, "0.1.0+told")
    assert version.code_version() == "0.1.0+told"
    version.code_version.cache_clear()


def test_files_without_an_installation_have_the_version_of_the_project(monkeypatch):
    installed = version.code_version.__wrapped__().partition("+")[0]
    monkeypatch.setattr(version, "installed", lambda name: "")
    assert version.code_version.__wrapped__().partition("+")[0] == installed
