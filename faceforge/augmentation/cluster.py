"""Beyond one machine: the same blocks as actors of Ray Data; the output folder has to be one that all machines see."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

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
    rows = [{"block": pickle.dumps(block)} for block in blocks]
    jobs = ray.data.from_items(rows, override_num_blocks=len(rows))
    actors = ray.data.ActorPoolStrategy(size=min(workers, len(rows)))
    made = jobs.map_batches(_Worker, fn_constructor_args=(work,), batch_size=1, compute=actors, num_gpus=gpus)
    for row in made.iter_rows():
        if row["refusal"]:
            raise pickle.loads(row["refusal"])
        yield Report.from_json(row["report"])


class _Worker:
    """One actor: it loads the editor with its first block and keeps it."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """One block, whose refusal comes back as a value: Ray would wrap it beyond recognition."""
        (block,) = batch["block"]
        try:
            with one_thread():
                return {"report": [self.work(pickle.loads(block)).to_json()], "refusal": [b""]}
        except FaceForgeError as refusal:
            return {"report": [""], "refusal": [pickle.dumps(refusal)]}


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingPackage("ray is not installed. Install it with: pip install 'faceforge[augment]'") from error
    return ray
