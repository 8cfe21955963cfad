"""Published weights from the hub: data files only, pinned to the commit of their first download."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path, PurePosixPath

from faceforge.errors import CannotWrite, HubError
from faceforge.io.files import replacing

# Python imports none of these, so a repository cannot bring code along.
SUFFIXES = frozenset(
    {".json", ".txt", ".safetensors", ".bin", ".ckpt", ".pt", ".pth", ".model", ".npz", ".npy", ".png", ".csv", ".md"}
)

_REPOSITORY = re.compile(r"(?!.*(--|\.\.))\w([\w.-]{0,94}\w)?/\w([\w.-]{0,94}\w)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class _Wish:
    repo: str
    revision: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class _Cached:
    """What this machine has of a wish; not certain when the revision's own list of files is not here."""

    folder: Path
    missing: list[str]
    certain: bool


def home() -> Path:
    """Where FaceForge keeps what it remembers: `$FACEFORGE_HOME`, or `~/.cache/faceforge`."""
    return Path(os.environ.get("FACEFORGE_HOME") or "~/.cache/faceforge").expanduser()


def repository_id(text: str) -> bool:
    """Whether a text reads as a hub repository and is not the path of something on this disk.

    >>> repository_id("owner/name"), repository_id("name"), repository_id("./owner/name")
    (True, False, False)
    """
    return _REPOSITORY.fullmatch(text) is not None and not Path(text).exists()


def fetch(repo: str, *, files: Sequence[str] = (), revision: str | None = None) -> Path:
    """The local snapshot folder of a repository, with all its data files or those that match a glob pattern."""
    if not _REPOSITORY.fullmatch(repo):
        raise HubError(f"{repo!r} is not a hub repository. Write 'owner/name', or pass an existing local folder.")
    patterns = tuple(f"{pattern}*" if pattern.endswith("/") else pattern for pattern in files) or ("*",)
    locked = None if revision else locked_revision(repo)
    folder = _snapshot(_Wish(repo, revision or locked or "main", patterns))
    if revision or locked or _lock(repo, folder.name) == folder.name:
        return folder
    return fetch(repo, files=files)  # another process has just locked another commit


def locked_revision(repo: str) -> str | None:
    """The commit that stands for a repository on this machine; None before its first download."""
    return _read_locks().get(repo)


def unlock(repo: str) -> None:
    """Forget the commit of a repository: the next fetch takes what the hub calls main by then."""
    with _editing_locks() as locks:
        locks.pop(repo, None)


def endpoint() -> str:
    """The hub's address, as of now: the client reads its environment once, when it is imported."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def cache_folder() -> Path:
    """The client's own cache, so that what other programs have downloaded counts."""
    from huggingface_hub import constants

    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if not named and (parent := os.environ.get("HF_HOME")):
        named = os.path.join(parent, "hub")
    return Path(os.path.expandvars(named or constants.HF_HUB_CACHE)).expanduser()


def offline() -> bool:
    """Whether the user has asked for no network."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in {"1", "ON", "YES", "TRUE"}


def _lock(repo: str, commit: str) -> str:
    """The commit that a repository is locked to from now on: the first one wins."""
    with _editing_locks() as locks:
        return locks.setdefault(repo, commit)


def _read_locks() -> dict[str, str]:
    path = home() / "revisions.json"
    try:
        return {str(repo): str(commit) for repo, commit in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        advice = "Delete it: every repository is then locked again at its next fetch."
        raise HubError(f"Cannot read {str(path)!r} ({error}). {advice}") from error


@contextmanager
def _editing_locks() -> Iterator[dict[str, str]]:
    from filelock import FileLock

    path = home() / "revisions.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            locks = _read_locks()
            yield locks
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(locks, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    except (OSError, CannotWrite) as error:
        reason = error.__cause__ or error
        raise HubError(f"Cannot write {str(path)!r} ({reason}). Set FACEFORGE_HOME to a writable folder.") from error


def _snapshot(wish: _Wish) -> Path:
    cached = _cached(wish)
    if not cached.missing and (offline() or (cached.certain and _COMMIT.fullmatch(wish.revision))):
        return cached.folder
    if offline():
        raise _incomplete(wish, cached, "HF_HUB_OFFLINE is set")
    try:
        return _download(wish)
    except HubError:
        raise
    except Exception as error:  # the client also lets through what its HTTP library, JSON and the disk raise
        refusal = _refusal(wish, error)
        if refusal is None and not cached.missing:
            return cached.folder
        raise refusal or _incomplete(wish, cached, f"the hub could not be read ({_in_short(error)})") from error


def _cached(wish: _Wish) -> _Cached:
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    cache = cache_folder()
    try:
        folder = Path(
            snapshot_download(
                wish.repo, revision=wish.revision, cache_dir=cache, local_files_only=True, allow_patterns=[]
            )
        )
    except LocalEntryNotFoundError:
        return _Cached(cache, list(wish.patterns), certain=False)
    try:
        names = [file.path for file in get_cached_repo_tree(wish.repo, revision=folder.name, cache_dir=cache)]
        certain = True
    except CachedRepoTreeNotFoundError:  # older clients kept no list, so what is here has to count as everything
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        certain = False
    chosen, unmatched = _choose(names, wish.patterns)
    return _Cached(folder, unmatched + [name for name in chosen if not (folder / name).is_file()], certain)


def _download(wish: _Wish) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    server = endpoint()
    # Asked first because the client's own listing waits and retries for half a minute when there is no network.
    info = HfApi(endpoint=server).model_info(wish.repo, revision=wish.revision, timeout=_PATIENCE_S)
    chosen, unmatched = _choose([file.rfilename for file in info.siblings or []], wish.patterns)
    if unmatched:
        raise HubError(
            f"{wish.repo!r} at revision {wish.revision!r} has no data file matching {_listed(unmatched)}. Compare with "
            f"{server}/{wish.repo}/tree/{wish.revision}; only {' '.join(sorted(SUFFIXES))} are ever fetched."
        )
    only = [escape(name) for name in chosen]
    return Path(
        snapshot_download(
            wish.repo, revision=wish.revision, cache_dir=cache_folder(), endpoint=server, allow_patterns=only
        )
    )


def _choose(names: Sequence[str], patterns: Sequence[str]) -> tuple[list[str], list[str]]:
    """The data files that some pattern matches, and the patterns that match none."""
    data = [name for name in names if PurePosixPath(name).suffix in SUFFIXES]
    chosen = [name for name in data if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return chosen, [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in data)]


def _refusal(wish: _Wish, error: Exception) -> HubError | None:
    """What to tell the user when the hub or the disk said no; None when the hub merely could not be asked."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RevisionNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    repo, page = wish.repo, f"{endpoint()}/{wish.repo}"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if isinstance(error, RevisionNotFoundError):
        advice = f"Choose one from {page}, or forget a locked commit: faceforge.io.hub.unlock({repo!r})."
        return HubError(f"{repo!r} has no revision {wish.revision!r}. {advice}")
    if isinstance(error, GatedRepoError) or status == 403:
        return HubError(f"{repo!r} is gated. Accept its licence on {page}, then log in: `hf auth login`.")
    if status in (401, 404):
        advice = "Check the spelling, log in with `hf auth login`, or pass an existing local folder."
        return HubError(f"{repo!r} does not exist at {endpoint()}, or it is private. {advice}")
    if (isinstance(error, OSError) and error.errno is not None) or "No space left" in str(error):
        advice = "Make room there, or set HF_HOME to another folder."
        return HubError(f"Cannot write {repo!r} to the cache {str(cache_folder())!r} ({error}). {advice}")
    return None


def _incomplete(wish: _Wish, cached: _Cached, reason: str) -> HubError:
    return HubError(
        f"{wish.repo!r} at revision {wish.revision!r} lacks {_listed(cached.missing)} on this machine, and {reason}. "
        f"Connect once and repeat the call, or pass a local folder."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _in_short(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
