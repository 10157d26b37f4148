"""Experiment: one frozen value that says all that determines a result. Imports no torch.

The defaults are the thesis' own setting (preset `thesis`). A default never changes: a trial's id
is the hash of the fields that differ from their defaults, so a new field changes no old id.
"""

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from data_shards.errors import UsageError, unknown
from trainables import components
from trainables.losses import loss_class
from trainables.losses.base import Loss
from trainables.losses.matching import Matching
from trainables.typed_fields import as_type, typed

_SPEECH_FIELDS = (
    "speech_attention", "speech_attention_hidden", "speech_units", "mels", "window",
)  # fmt: skip
"""Fields of which a speech encoder's file lists those that it reads."""

COMMON = ("data", "seed", "batch_size", "epochs", "selection", "max_broken")
"""Fields that a trainable of one's own has too; all others are VFSEL's."""

CHOICES = {
    "image_attention": ["none", "B3", "B4"],
    "image_norm": ["imagenet", "half"],
    "views": ["one", "random"],
    "features": ["auto", "cached", "live"],
    "backbone_bn": ["eval", "train"],
    "window": ["hamming", "hann"],
    "training_voices": ["all", "one", "many"],
    "precision": ["float32", "bfloat16"],
    "selection": ["val", "last", "test"],
}
MINIMUM = {
    "seed": 0, "view_count": 0, "cbam_reduction": 1, "cbam_kernel": 1, "image_size": 32, "mels": 1,
    "embedding": 2, "speech_attention_hidden": 1, "speech_units": 0, "weight_decay": 0.0,
    "beta1": 0.0, "beta2": 0.0, "lr_halve_every": 1, "batch_size": 2, "epochs": 1,
    "max_broken": 0.0,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All that determines a result; validated at construction.

    Raises:
        UsageError: a value breaks its field's rule; the message names the rule and the value.
    """

    data: str = ""
    """Hash of the data's manifest."""
    seed: int = 0
    """Replicate; arms with the same seed share initial weights, data order and caption choice."""

    image_encoder: str = "resnet101"
    """A file of `trainables/image_encoders/` (thesis §4.1.1)."""
    image_attention: str = "B3"
    """CBAM behind block B3 (end of stride 16), B4 (end of stride 32), or `none` (Table 5.7)."""
    cbam_reduction: int = 16
    """Channel reduction r of CBAM's shared MLP (Eq. 4.2)."""
    cbam_kernel: int = 7
    """Kernel of CBAM's spatial convolution, odd (Eq. 4.3)."""
    image_size: int = 244
    """Side of the square that enters the backbone, pixels."""
    image_norm: str = "imagenet"
    """Pixel normalisation: the backbone's own statistics, or mean and sd `half` (0.5)."""
    views: str = "random"
    """Training views: a `random` crop and flip each epoch, or `one` centred view (cacheable)."""
    view_count: int = 0
    """With random views: so many of an image, the same for all seeds, of which each epoch takes
    one (cacheable); 0: a new one each epoch."""
    features: str = "auto"
    """What no trial trains, for training: `cached`, or computed `live` in every epoch (the only
    way for endless views). `auto`: cached where there are views to cache, unless planning finds
    that they do not fit the cache."""
    finetune: bool = False
    """Train the pretrained backbone too (thesis: frozen)."""
    backbone_bn: str = "eval"
    """BN statistics of a frozen backbone: kept (`eval`), or drifting (`train`, the author's)."""

    speech_encoder: str = "pyramid_bigru"
    """A file of `trainables/speech_encoders/` (thesis §4.1.2)."""
    speech_attention: bool = True
    """Vectorial self-attention over time (Eqs 4.6–4.7), or the mean over time."""
    speech_attention_hidden: int = 1024
    """Units of the attention's hidden layer W (Eq. 4.6)."""
    speech_units: int = 0
    """Units of a speech encoder other than VFSEL's, as its file says; 0: as published."""
    training_voices: str = "all"
    """Whose captions training hears: `all` voices' (and tests on the same voices); or, one caption
    an image, `one` voice's or `many` voices', tested on voices unheard in training (§6.2)."""
    mels: int = 40
    """Log-mel bands."""
    window: str = "hamming"
    """Window of the short-time Fourier transform, 25 ms."""

    embedding: int = 2048
    """Size of the shared space; the speech encoder has half of it in each direction. Even."""
    loss: Loss = field(default_factory=Matching)
    """The loss and its own fields (thesis §4.2)."""

    learning_rate: float = 1e-4
    """Adam's step size, > 0."""
    weight_decay: float = 1e-5
    """Adam's L2 penalty."""
    beta1: float = 0.95
    """Adam: decay of the gradient's running mean, < 1."""
    beta2: float = 0.999
    """Adam: decay of the squared gradient's running mean, < 1."""
    lr_halve_every: int = 50
    """Epochs after which the learning rate is halved, again and again."""
    batch_size: int = 64
    """Pairs a step; the last, smaller batch of an epoch is dropped."""
    epochs: int = 120
    """Passes over the training images, each with one random caption."""
    precision: str = "float32"
    """Arithmetic of training's forward pass; `bfloat16` is autocast. Evaluation is in float32, of
    frozen features in training's precision."""
    selection: str = "val"
    """What chooses the epoch: `val` (held-out classes), `last` (the last epoch, training on
    val too), or `test` (the author's practice; an oracle, labelled so)."""
    max_broken: float = 0.001
    """Share of a split's samples that may be unreadable before the trial fails."""

    trainable: str = ""
    """A trainable of one's own in the place of VFSEL, `NAME@SHA256` of its source; "" is VFSEL."""
    own: tuple[tuple[str, Any], ...] = ()
    """Parameters of that trainable, name and plain value, by name; a mapping is taken too."""

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):
            if spec.name not in ("loss", "own"):
                object.__setattr__(self, spec.name, typed(spec, getattr(self, spec.name)))
        object.__setattr__(self, "own", tuple(sorted(dict(self.own).items())))
        _check(self)
        _check_own(self)

    @cached_property
    def trial_id(self) -> str:
        """12 hex digits naming the trial: hash of what differs from the defaults."""
        text = json.dumps(self._identity(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def model(self) -> str:
        """For people: VFSEL's image encoder, or a trainable of one's own as `NAME@12 digits`."""
        name, _, digest = self.trainable.partition("@")
        return f"{name}@{digest[:12]}" if name else self.image_encoder

    def _identity(self) -> dict[str, Any]:
        if self.trainable:
            return self._identity_of_own()
        own = self.flat()
        default = Experiment().flat() | Experiment(loss=type(self.loss)()).flat()
        default["loss"] = Matching.name
        differing = {name: own[name] for name in own if own[name] != default[name]}
        for name in [*self._without_effect(), "features"]:
            differing.pop(name, None)
        if self.speech_units and self.speech_units == self._published_units():
            differing.pop("speech_units", None)
        live = {} if self.cached else {"features": "live"}
        return differing | live | self._versions()

    def _identity_of_own(self) -> dict[str, Any]:
        """All own parameters: what their defaults are may change with the source."""
        own, default = self.flat(), Experiment().flat()
        common = {name: own[name] for name in COMMON if own[name] != default[name]}
        return common | {"trainable": self.model, "own": dict(self.own)}

    def resolved(self) -> Self:
        """The same trial with `features` said in full: `cached` or `live`, no longer `auto`."""
        return dataclasses.replace(self, features="cached" if self.cached else "live")

    def differing(self) -> dict[str, Any]:
        """The plain values that are not the defaults, so that a new field changes no name made of
        them; `from_dict` takes them."""
        own, default = self.to_dict(), Experiment().to_dict()
        return {name: value for name, value in own.items() if value != default.get(name)}

    @property
    def cached(self) -> bool:
        """Training reads cached features; `auto` is resolved as if there were room for them."""
        if self.features == "auto":
            return self.views == "one" or self.view_count > 0
        return self.features == "cached"

    def _published_units(self) -> int:
        """What `speech_units` 0 means; 0 for an encoder that does not read it."""
        kind, name = "speech_encoders", self.speech_encoder
        if "speech_units" not in components.constant(kind, name, "READS"):
            return 0
        return int(components.constant(kind, name, "UNITS"))

    def _without_effect(self) -> list[str]:
        """Fields that no chosen component reads: they must not make two trials of one."""
        idle = []
        if self.image_attention == "none":
            idle += ["cbam_reduction", "cbam_kernel"]
        read = components.constant("speech_encoders", self.speech_encoder, "READS")
        idle += [name for name in _SPEECH_FIELDS if name not in read]
        if not self.speech_attention:
            idle += ["speech_attention_hidden"]
        if not components.constant("image_encoders", self.image_encoder, "PRETRAINED"):
            idle += ["finetune", "backbone_bn"]
        return idle

    def _versions(self) -> dict[str, int]:
        used = {
            "losses": self.loss.name,
            "image_encoders": self.image_encoder,
            "speech_encoders": self.speech_encoder,
        }
        found = {
            f"version of {kind}": int(components.constant(kind, name, "VERSION"))
            for kind, name in used.items()
        }
        return {kind: version for kind, version in found.items() if version != 1}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the loss as `{"name": …, field: value}`.

        Of VFSEL as if no other trainable could be: a new field changes nothing that is stored.
        """
        value = {spec.name: getattr(self, spec.name) for spec in dataclasses.fields(self)}
        value["own"] = dict(self.own)
        if not self.trainable:
            del value["trainable"], value["own"]
        return value | {"loss": {"name": self.loss.name} | dataclasses.asdict(self.loss)}

    def flat(self) -> dict[str, Any]:
        """Every field by its `--set` name: the loss' name as `loss`, its fields beside it.

        Of a trainable of one's own: the common fields, its name, and its own parameters.
        """
        value = self.to_dict()
        if self.trainable:
            common = {name: value[name] for name in COMMON}
            return common | {"trainable": self.model} | dict(self.own)
        loss = value.pop("loss")
        name = loss.pop("name")
        return {**value, "loss": name, **loss}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """The inverse of `to_dict`; unknown fields are refused."""
        value = dict(value)
        loss = dict(value.pop("loss", {"name": "matching"}))
        kind = loss_class(str(loss.pop("name")))
        _refuse_unknown(loss, _names(kind))
        _refuse_unknown(value, _names(cls))
        return cls(loss=_loss(kind, loss), **value)

    def replace(self, **changes: Any) -> Self:
        """A copy with fields changed by their `--set` names.

        Another `loss` starts from its defaults; the loss' own fields (`gamma`, `margin`) are set
        by their names.

        Raises:
            UsageError: an unknown field, or one that the chosen loss, or trainable, does not have.
        """
        if self.trainable:
            return self._replace_own(changes)
        loss = self.loss
        if (name := str(changes.pop("loss", loss.name))) != loss.name:
            loss = loss_class(name)()
        own, its = _names(type(self)), _names(type(loss))
        _refuse_of_other_losses(changes, own=[*own, *its], loss=name)
        _refuse_unknown(changes, [*(name for name in own if name != "loss"), "loss", *its])
        loss_changes = {name: changes.pop(name) for name in its if name in changes}
        fields = dataclasses.asdict(loss) | loss_changes
        return dataclasses.replace(self, loss=_loss(type(loss), fields), **changes)

    def _replace_own(self, changes: dict[str, Any]) -> Self:
        own = dict(self.own)
        _refuse_unknown(changes, [*COMMON, *own])
        common = {name: changes[name] for name in COMMON if name in changes}
        own |= {n: as_type(n, type(own[n]), changes[n]) for n in own if n in changes}
        return dataclasses.replace(self, own=tuple(own.items()), **common)


def _names(kind: type) -> list[str]:
    return [spec.name for spec in dataclasses.fields(kind)]


def _loss(kind: type[Loss], fields: dict[str, Any]) -> Loss:
    given = (spec for spec in dataclasses.fields(kind) if spec.name in fields)
    return kind(**{spec.name: typed(spec, fields[spec.name]) for spec in given})


def _refuse_unknown(given: dict[str, Any], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise unknown("field", name, known)


def _refuse_of_other_losses(given: dict[str, Any], *, own: list[str], loss: str) -> None:
    for name in given:
        others = [] if name in own else _losses_with(name)
        if others:
            raise UsageError(
                f"{name} must be set together with the loss that has it, {' or '.join(others)}, "
                f"but the loss is {loss}: add --set loss={others[0]}, or leave it out."
            )


def _losses_with(field: str) -> list[str]:
    return [name for name in components.names("losses") if field in _names(loss_class(name))]


def check_parameters(own: Mapping[str, Any]) -> None:
    """Whether these can be the parameters of a trainable of one's own.

    Raises:
        UsageError: a name that means something already, or a value that is not plain.
    """
    for name, value in own.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"an own parameter's name must be an identifier, but got {name!r}.")
        if name in (*COMMON, "trainable", "own"):
            raise UsageError(f"{name} must not be an own parameter: every trial has it already.")
        plain = isinstance(value, bool | int | float | str)
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise UsageError(
                f"{name} must be a finite number, true or false, or text, but got {value!r}."
            )


def _check_own(experiment: Experiment) -> None:
    if not re.fullmatch(r"|[A-Za-z_]\w*@[0-9a-f]{64}", experiment.trainable, re.ASCII):
        raise UsageError(f"trainable must be NAME@SHA256, but got {experiment.trainable!r}.")
    if experiment.own and not experiment.trainable:
        raise UsageError("own parameters must come with a trainable, but trainable is empty.")
    check_parameters(dict(experiment.own))


def _check(experiment: Experiment) -> None:
    for name, choices in CHOICES.items():
        if getattr(experiment, name) not in choices:
            raise unknown(name, getattr(experiment, name), choices)
    for name, low in MINIMUM.items():
        value = getattr(experiment, name)
        if not low <= value < math.inf:
            raise UsageError(f"{name} must be >= {low} and finite, but got {name}={value}.")
    for kind in ("image_encoder", "speech_encoder"):
        known = components.names(f"{kind}s")
        if getattr(experiment, kind) not in known:
            raise unknown(kind, getattr(experiment, kind), known)
    if not 0 < experiment.learning_rate < math.inf:
        raise UsageError(f"learning_rate must be > 0, but got {experiment.learning_rate}.")
    if experiment.embedding % 2 or not experiment.cbam_kernel % 2:
        raise UsageError(
            "embedding must be even and cbam_kernel odd, but got "
            f"embedding={experiment.embedding} cbam_kernel={experiment.cbam_kernel}."
        )
    endless = experiment.views == "random" and not experiment.view_count
    if experiment.features == "cached" and endless:
        raise UsageError(
            "features=cached needs views that end, but views=random draws a new one each epoch: "
            "use --set view_count=10, views=one or features=live."
        )
    if experiment.view_count and experiment.views == "one":
        raise UsageError(
            f"view_count must be 0 with views=one, but got {experiment.view_count}: "
            "use --set views=random."
        )
    for name in ("beta1", "beta2", "max_broken"):
        if getattr(experiment, name) >= 1:
            raise UsageError(f"{name} must be < 1, but got {getattr(experiment, name)}.")
