"""Beyond one machine: the same blocks as actors of Ray Data; the output folder has to be one that all machines see."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from faceforge import errors
from faceforge.augmentation.blocks import Block
from faceforge.augmentation.report import Report
from faceforge.augmentation.running import Engine, Work
from faceforge.errors import BadSpec, FaceForgeError, MissingPackage
from faceforge.synth.workers import one_thread

LOCAL = "local"


def on_ray(address: str, workers: int, *, with_network: bool = False) -> Engine:
    """An engine on the cluster at an address ('auto' for the running one), or on this machine ('local').

    Where a network edits and the cluster has GPUs, every worker gets one.
    """
    ray = _ray()
    if not ray.is_initialized():
        try:
            ray.init(address=None if address == LOCAL else address, include_dashboard=False, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as reason:
            raise BadSpec(f"There is no Ray cluster at {address!r} ({reason}). Start one, or say local.") from reason
    gpus = 1 if with_network and ray.cluster_resources().get("GPU") else None
    return partial(_blocks, ray, workers, gpus)


def _blocks(ray: Any, workers: int, gpus: int | None, work: Work, blocks: Sequence[Block]) -> Iterator[Report]:
    """Reports in whatever order they come; a block whose worker dies is given to another one."""
    if not blocks:
        return
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    ray.data.DataContext.get_current().enable_progress_bars = False  # the run tells of its progress itself
    # Places at hand, not a range: reading one would need a processor, and the actors hold them all.
    jobs = ray.data.from_items([{"place": place} for place in range(len(blocks))], override_num_blocks=len(blocks))
    actors = ray.data.ActorPoolStrategy(size=min(workers, len(blocks)))
    made = jobs.map_batches(_Worker, fn_constructor_args=(work, blocks), batch_size=1, compute=actors, num_gpus=gpus)
    for row in made.iter_rows():
        if row["refusal"]:
            raise getattr(errors, row["refusal"], FaceForgeError)(row["said"])
        yield Report.from_json(row["said"])


class _Worker:
    """One actor: it loads the editor with its first block and keeps it."""

    def __init__(self, work: Work, blocks: Sequence[Block]) -> None:
        self.work, self.blocks = work, blocks

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """One block by its place, whose refusal comes back as words: Ray would wrap it beyond recognition."""
        (place,) = batch["place"]
        try:
            with one_thread():
                return {"refusal": [""], "said": [self.work(self.blocks[int(place)]).to_json()]}
        except FaceForgeError as refusal:
            return {"refusal": [type(refusal).__name__], "said": [str(refusal)]}


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingPackage("ray is not installed. Install it with: pip install 'faceforge[augment]'") from error
    return ray
