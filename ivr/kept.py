"""Sounds that were made before on this machine, shared by content. Loads nothing heavy."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from dialplans import Music, Prompt
from ivr.names import RATES, missing, sound_name
from switch.install import cache_folder

VERSION = 1  # of how sounds are made: raise it and every kept one is made anew
OUR_MUSIC = "waiting-1"


def kept_in(cache: Path | None = None) -> Path:
    """The folder of kept sounds: in `cache`, by default ~/.cache/daihyo/prompts."""
    return (cache or cache_folder() / "prompts") / f"v{VERSION}"


def fetch(name: str, folder: Path, cache: Path | None = None) -> bool:
    """Puts `<folder>/<name>.wav` and `.wav16` there from what is kept; False when not both are. OSError."""
    wanted = [suffix for suffix in RATES if not (folder / (name + suffix)).exists()]
    if not wanted:
        return True
    store = kept_in(cache)
    if not all((store / (name + suffix)).exists() for suffix in RATES):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in wanted:
        with replacing(folder / (name + suffix)) as unfinished:
            Path(unfinished).write_bytes((store / (name + suffix)).read_bytes())
    return True


def fetch_all(
    prompts: Iterable[Prompt], musics: Iterable[Music], folder: Path, *, cache: Path | None = None
) -> bool:
    """What `prepare` and `music` would make, as far as it is kept; whether all of it was. OSError."""
    found = [fetch(sound_name(one.key), folder, cache) for one in missing(prompts, folder)]
    moh = folder / "moh"
    found.append(fetch(OUR_MUSIC, moh / "default", cache))
    for one in musics:
        found += [fetch(name, moh / one.folder, cache) for name in music_names(one)]
    return all(found)


def music_names(one: Music) -> list[str]:
    """The names of its pieces' files: Asterisk plays them in the order of their names."""
    return [f"{place:02d}-{key}" for place, key in enumerate(one.audio, 1)]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[str]:
    """A name to write to; becomes `path` when all went well, nothing otherwise."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        yield name
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
