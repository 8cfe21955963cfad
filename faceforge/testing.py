"""The contract: laws that every plugin keeps, run on a random miniature; `faceforge check` and the tests share them."""

from __future__ import annotations

import contextlib
import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from faceforge.core.backbone import Backbone
from faceforge.core.manifest import Control, Manifest, Value
from faceforge.core.plugin import Plugin
from faceforge.core.points import SUMMED, HookPoint
from faceforge.core.requests import Requests
from faceforge.core.rows import Encoder
from faceforge.core.temporal import consecutive
from faceforge.core.types import Contribution, Request
from faceforge.forge import Forge
from faceforge.objective import Objective
from faceforge.spec import EditSpec
from faceforge.store.backbones import tiny
from faceforge.store.checkpoint import load_plugin, save_plugin

ROWS = 2
SIZE = 32
Law = Callable[["Bench"], None]


@dataclass(frozen=True)
class Outcome:
    """One law and whether the plugin keeps it."""

    name: str
    passed: bool
    detail: str = ""


@dataclass
class Report:
    """All laws for one plugin."""

    results: list[Outcome] = field(default_factory=list)

    @property
    def failures(self) -> int:
        return sum(not result.passed for result in self.results)


class Companion(Plugin):
    """Somebody else's plugin at every summed and concatenated point, to see that the two do not disturb each other."""

    manifest = Manifest(
        name="companion",
        version="1.0",
        points=(*SUMMED, HookPoint.SELF_ATTENTION, HookPoint.CROSS_ATTENTION),
    )

    def build(self, backbone: Backbone) -> None:
        from faceforge.core.types import KeyValue, Tokens

        drawn = torch.Generator().manual_seed(3)

        def some(*shape: int) -> Tensor:
            return torch.randn(shape, generator=drawn) * 0.3

        self.gift = Contribution(
            timestep=some(1, backbone.time_width),
            input=some(1, backbone.input_width, 1, 1),
            output=some(1, backbone.latent_channels, 1, 1),
            self_attention={site: Tokens(some(1, 3, width)) for site, width in backbone.self_sites.items()},
            cross_attention={site: KeyValue(None, some(1, 1, width)) for site, width in backbone.cross_sites.items()},
        )

    def encode(self, requests: Requests) -> Contribution:
        return self.gift


class Bench:
    """A miniature, a plugin with weights that do something, and requests it can read."""

    def __init__(self, kind: type[Plugin], **options: Any) -> None:
        self.kind = kind
        self.backbone = tiny(size=SIZE)
        self.plugin = kind(**options).built_on(self.backbone)
        self.fresh = copy.deepcopy(self.plugin)
        randomise(self.plugin)
        self.latents = torch.randn(ROWS, 4, SIZE // 8, SIZE // 8, generator=torch.Generator().manual_seed(1))

    @property
    def name(self) -> str:
        return self.plugin.name

    @property
    def is_text(self) -> bool:
        return HookPoint.CONTEXT in self.plugin.manifest.points

    def requests(self, **fields: Any) -> list[Request]:
        return [request_for(self.plugin.manifest, number, **fields) for number in range(ROWS)]

    def forge(self, *plugins: Plugin) -> Forge:
        return Forge(self.backbone, [plugin for plugin in plugins if plugin.name != "text"])

    def predict(self, plugins: Sequence[Plugin], requests: Sequence[Request], latents: Tensor | None = None) -> Tensor:
        """One guided prediction on the miniature with these plugins attached for as long as it takes."""
        forge = self.forge(*plugins)
        try:
            with torch.no_grad(), forge.prepared(requests) as run:
                return run.predict(self.latents if latents is None else latents, torch.tensor(500), 0.5)
        finally:
            for name in [name for name in forge.plugins if name != "text"]:
                forge.detach(name)

    def plain(self) -> Tensor:
        """The stock network, called as anybody would."""
        text = self.backbone.text.embed("a face").expand(ROWS, -1, -1)
        with torch.no_grad():
            return torch.as_tensor(self.backbone.unet(self.latents, 500, encoder_hidden_states=text).sample)


def it_does_something(bench: Bench) -> None:
    """With weights and a request the prediction moves; otherwise the other laws would hold for nothing."""
    assert bench.is_text or not torch.equal(bench.predict([bench.plugin], bench.requests()), bench.plain())


def an_untrained_plugin_changes_no_sum(bench: Bench) -> None:
    summed = {*SUMMED, HookPoint.CROSS_ATTENTION, HookPoint.WEIGHTS, HookPoint.TEMPORAL}
    if set(bench.plugin.manifest.points) <= summed:
        assert torch.equal(bench.predict([bench.fresh], bench.requests(controls={})), bench.plain())


def detaching_leaves_no_trace(bench: Bench) -> None:
    before = bench.plain()
    names = list(bench.backbone.unet.state_dict())
    bench.predict([bench.plugin], bench.requests())
    assert torch.equal(bench.plain(), before)
    assert list(bench.backbone.unet.state_dict()) == names


def a_failure_inside_leaves_no_trace(bench: Bench) -> None:
    before = bench.plain()
    with contextlib.suppress(RuntimeError, ValueError, ZeroDivisionError):
        bench.predict([bench.plugin], bench.requests(), latents=torch.zeros(ROWS, 4, 0, 0))
    assert torch.equal(bench.plain(), before)


def zero_strength_is_absence(bench: Bench) -> None:
    if not bench.is_text:
        found = bench.predict([bench.plugin], bench.requests(strength={bench.name: 0.0}))
        assert torch.equal(found, bench.plain())


def strength_is_continuous_at_zero_and_one(bench: Bench) -> None:
    if bench.is_text:
        return
    at = {s: bench.predict([bench.plugin], bench.requests(strength={bench.name: s})) for s in (0, 1e-4, 0.9999, 1)}
    whole = float((at[1] - at[0]).abs().max())
    for near, end in ((1e-4, 0), (0.9999, 1)):
        step = float((at[near] - at[end]).abs().max())
        assert step <= 0.05 * whole + 1e-6, f"a step of 0.0001 at {end} moves {step:.2g} of {whole:.2g}"


def the_order_of_plugins_does_not_matter(bench: Bench) -> None:
    companion = Companion().built_on(bench.backbone)
    one = bench.predict([bench.plugin, companion], bench.requests())
    assert torch.equal(bench.predict([companion, bench.plugin], bench.requests()), one)


def a_companion_keeps_its_own_strength(bench: Bench) -> None:
    companion = Companion().built_on(bench.backbone)
    both = bench.predict([bench.plugin, companion], bench.requests(strength={"companion": 0.0}))
    assert torch.equal(both, bench.predict([bench.plugin], bench.requests()))


def saving_and_loading_keeps_every_bit(bench: Bench) -> None:
    expected = bench.predict([bench.plugin], bench.requests())
    with tempfile.TemporaryDirectory() as folder:
        save_plugin(bench.plugin, Path(folder) / "saved")
        again = load_plugin(Path(folder) / "saved", bench.backbone, kind=bench.kind)
        assert torch.equal(bench.predict([again], bench.requests()), expected)


def a_batch_equals_its_singles(bench: Bench) -> None:
    requests = bench.requests()
    together = bench.predict([bench.plugin], requests)
    for number, request in enumerate(requests):
        alone = bench.predict([bench.plugin], [request], latents=bench.latents[number : number + 1])
        torch.testing.assert_close(alone[0], together[number], rtol=1e-4, atol=1e-5)


def stacked_branches_equal_split_ones(bench: Bench) -> None:
    forge = bench.forge(bench.plugin)
    found = []
    for rows_per_call in (None, 1):
        forge.rows_per_call = rows_per_call
        with torch.no_grad(), forge.prepared(bench.requests(guidance=2.0)) as run:
            found.append(run.predict(bench.latents, torch.tensor(500)))
    _detach_all(forge)
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def frames_read_one_another_only_where_time_is_owned(bench: Bench) -> None:
    forge = bench.forge(bench.plugin)
    found = []
    for windows in (None, consecutive(ROWS, ROWS)):
        with torch.no_grad(), forge.prepared(bench.requests(guidance=2.0), windows=windows) as run:
            found.append(run.predict(bench.latents, torch.tensor(500)))
    _detach_all(forge)
    alone, together = found
    if HookPoint.TEMPORAL in bench.plugin.manifest.points:
        assert not torch.allclose(alone, together, rtol=1e-4, atol=1e-5)
    else:
        torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


def only_declared_points_are_used(bench: Bench) -> None:
    encoder = Encoder(bench.backbone)
    with torch.no_grad():
        rows = [
            *encoder.rows(bench.plugin, bench.requests()),
            *(encoder.null_rows(bench.plugin, bench.requests()) or []),
        ]
    used = {address.point for row in rows for address in row}
    assert used <= set(bench.plugin.manifest.points), f"{used} are not all declared"


def conditions_can_be_dropped_in_training(bench: Bench) -> None:
    _, loss = _trained(bench, drop=1.0)
    assert torch.isfinite(loss)


def gradients_agree_with_and_without_checkpointing(bench: Bench) -> None:
    for drop in (0.0, 0.5):  # half of the rows dropped may mean two calls of the network, each with a state of its own
        plain, _ = _trained(bench, drop)
        bench.backbone.unet.enable_gradient_checkpointing()
        checkpointed, _ = _trained(bench, drop)
        bench.backbone.unet.disable_gradient_checkpointing()
        assert plain.keys() == checkpointed.keys()
        for name, gradient in plain.items():
            torch.testing.assert_close(checkpointed[name], gradient, rtol=1e-4, atol=1e-6)


def every_weight_learns_or_is_frozen(bench: Bench) -> None:
    """A weight without a gradient stalls distributed training, and only looks as if it were trained."""
    gradients, _ = _trained(bench)
    trainable = {name for name, parameter in bench.plugin.named_parameters() if parameter.requires_grad}
    idle = sorted(trainable - gradients.keys())
    assert not idle, f"{len(idle)} weights receive no gradient, such as {idle[0]!r}; freeze them in build"


def half_precision_stays_finite(bench: Bench) -> None:
    half = Bench(bench.kind, **bench.plugin.options)
    forge = half.forge(half.plugin).to(dtype=torch.bfloat16)
    with torch.no_grad(), forge.prepared(half.requests()) as run:
        assert torch.isfinite(run.predict(half.latents.to(torch.bfloat16), torch.tensor(500))).all()


LAWS: tuple[Law, ...] = (
    it_does_something,
    an_untrained_plugin_changes_no_sum,
    detaching_leaves_no_trace,
    a_failure_inside_leaves_no_trace,
    zero_strength_is_absence,
    strength_is_continuous_at_zero_and_one,
    the_order_of_plugins_does_not_matter,
    a_companion_keeps_its_own_strength,
    saving_and_loading_keeps_every_bit,
    a_batch_equals_its_singles,
    stacked_branches_equal_split_ones,
    frames_read_one_another_only_where_time_is_owned,
    only_declared_points_are_used,
    conditions_can_be_dropped_in_training,
    gradients_agree_with_and_without_checkpointing,
    every_weight_learns_or_is_frozen,
    half_precision_stays_finite,
)


def contract(kind: type[Plugin], **options: Any) -> Report:
    """Every law, one after the other, each on a miniature of its own."""
    report = Report()
    for law in LAWS:
        name = law.__name__.replace("_", " ")
        try:
            law(Bench(kind, **options))
            report.results.append(Outcome(name, True))
        except Exception as error:  # whatever a stranger's plugin does wrong is a finding, not a crash
            lines = str(error).strip().splitlines() or [type(error).__name__]
            report.results.append(Outcome(name, False, lines[0]))
    return report


def randomise(plugin: Plugin, seed: int = 0) -> None:
    """Weights that do something: zero-initialised layers would keep most laws by doing nothing."""
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in plugin.parameters():
            if parameter.requires_grad and not parameter.any():
                parameter.copy_(torch.randn(parameter.shape, generator=drawn) * 0.2)


def request_for(manifest: Manifest, number: int, **fields: Any) -> Request:
    """A request that brings everything a manifest declares, different for every number."""
    drawn = torch.Generator().manual_seed(100 + number)
    names = [name.partition(".") for name in manifest.fields]
    pictures = {
        name: torch.rand(3, SIZE, SIZE, generator=drawn) * 2 - 1 for kind, _, name in names if kind == "pictures"
    }
    vectors = {name: torch.randn(shape, generator=drawn) for name, shape in manifest.shapes.items()}
    aus = dict.fromkeys(manifest.aus.codes[:3], 1.0 + number) if manifest.aus else {}
    controls = {name: _other_than_default(control) for name, control in manifest.controls.items()}
    own = {"controls": {manifest.name: controls}} if controls else {}
    wish = {"aus": aus, "prompt": "a face", "guidance": 1.0, **own, **fields}
    return Request(EditSpec(**wish), pictures, vectors)


def _other_than_default(control: Control) -> Value:
    if control.choices:
        return next(choice for choice in control.choices if choice != control.default)
    if isinstance(control.default, bool):
        return not control.default
    if isinstance(control.default, str):
        return control.default + "x"
    far = control.maximum if control.maximum is not None else control.default + 1
    return far if far != control.default else control.default - 1


def _trained(bench: Bench, drop: float = 0.0) -> tuple[dict[str, Tensor], Tensor]:
    """Gradients of the plugin's weights by name after one training step, and the loss."""
    forge = bench.forge(bench.plugin)
    objective = Objective(
        bench.backbone, list(forge.plugins.values()), noise_scheduler=DDPMScheduler(), drop=drop
    ).train()
    bench.backbone.unet.requires_grad_(False)
    objective.zero_grad()
    outcome = objective(bench.requests(), bench.latents, generator=torch.Generator().manual_seed(5))
    if outcome.loss.requires_grad:
        outcome.loss.backward()
    gradients = {n: p.grad.clone() for n, p in bench.plugin.named_parameters() if p.grad is not None}
    bench.plugin.zero_grad()
    _detach_all(forge)
    return gradients, outcome.loss.detach()


def _detach_all(forge: Forge) -> None:
    for name in [name for name in forge.plugins if name != "text"]:
        forge.detach(name)
