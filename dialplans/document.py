"""A plan as it is written: one YAML file, or one with parts beside it, read as one."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dialplans import yaml_source
from dialplans.opening import days_of
from dialplans.problems import Finding, Loc, Problem, SiteError, path_text
from dialplans.yaml_source import Source

MAX_BYTES = 4 * 1024 * 1024  # all parts together
MAX_PARTS = 50
INCLUDE = "include"


@dataclass
class Document:
    """`data` is the whole plan; `sources` its files, the main one first, by the names that problems carry;
    `texts` what they hold; `findings` what is wrong before anybody looks at the plan itself, by source, with
    paths of that file."""

    data: object
    sources: list[tuple[str, Source]]
    texts: list[str]
    findings: list[tuple[int, tuple[int, int], Finding]] = field(default_factory=list)
    broken: bool = False  # a part is missing: what does not fit would only follow from that
    _homes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # of each item of a list
    _keys: dict[str, int] = field(default_factory=dict)  # in which source a top-level key stands first

    def _written(self, loc: Loc) -> Loc:
        """A path of the model as it is written: `mon` may stand in `mon-fri`."""
        if loc[:1] != ("hours",) or loc[2:3] != ("week",) or len(loc) < 4:
            return loc
        here = self.data
        for part in loc[:3]:
            try:
                here = here[part]  # type: ignore[index]  # a wrong kind is caught below
            except (KeyError, IndexError, TypeError):
                return loc
        if not isinstance(here, dict) or loc[3] in here:
            return loc
        keys = [key for key in here if loc[3] in days_of(str(key))]
        return (*loc[:3], keys[0], *loc[4:]) if keys else loc

    def home(self, loc: Loc) -> tuple[int, Loc]:
        """Which source a path of the whole plan stands in, and its path there."""
        if not loc or not isinstance(loc[0], str):
            return 0, loc
        items = self._homes.get(loc[0])
        if len(loc) > 1 and items is not None and isinstance(loc[1], int) and loc[1] < len(items):
            source, index = items[loc[1]]
            return source, (loc[0], index, *loc[2:])
        return self._keys.get(loc[0], 0), loc

    def problems(self, found: Iterable[Finding] = ()) -> list[Problem]:
        """The findings (paths of the whole plan) with their files and lines, in the order of the files."""
        placed = [(at, place, one.loc, one) for at, place, one in self.findings]
        seen: set[tuple[Loc, str]] = set()
        for one in found:
            at, loc = self.home(self._written(one.loc))
            if (loc, one.en) not in seen:  # `mon-fri` is one mistake, not five
                seen.add((loc, one.en))
                placed.append((at, self.sources[at][1].place(loc, one.on_key), loc, one))
        placed.sort(key=lambda four: four[:2])
        return [self._problem(*one) for one in placed]

    def _problem(self, at: int, place: tuple[int, int], loc: Loc, one: Finding) -> Problem:
        ja, do_ja, en, do_en = one.said(lambda other: self._see(at, other))
        return Problem(self.sources[at][0], place[0], path_text(loc), ja, do_ja, en, do_en, place[1])

    def _see(self, at: int, loc: Loc) -> str:
        other, own = self.home(loc)
        if other == at:
            return path_text(own)
        name, source = self.sources[other]
        return f"{name}:{source.place(own)[0]} {path_text(own)}"

    def add(self, name: str, text: str) -> Source:
        """One more file, merged: lists are joined, everything else may stand once."""
        source = yaml_source.read(text)
        at = len(self.sources)
        self.sources.append((name, source))
        self.texts.append(text)
        self.findings += [(at, place, one) for place, one in source.findings]
        self.broken |= source.data is None and bool(source.findings)
        if at == 0:
            self.data = dict(source.data) if isinstance(source.data, dict) else source.data
            for key, value in source.data.items() if isinstance(source.data, dict) else ():
                self._note(key, value, at)
            return source
        if isinstance(self.data, dict) and isinstance(source.data, dict):
            for key, value in source.data.items():
                self._merge(self.data, at, key, value)
        elif source.data is not None:
            self.broken = True
            self._wrong(at, (), "項目の集まりではありません", "is not a group of keys")
        return source

    def _merge(self, data: dict[str, object], at: int, key: str, value: object) -> None:
        before = data.get(key)
        if key == INCLUDE:
            self._wrong(
                at, (key,), "部品は、ほかの部品を取り込めません", "a part cannot include others",
                "include: は、もとのファイルにだけ書いてください", "use include: in the main file only",
            )  # fmt: skip
        elif key not in data:
            data[key] = value
            self._note(key, value, at)
        elif isinstance(before, list) and isinstance(value, list):
            data[key] = before + value
            self._note(key, value, at)
        else:
            self._wrong(
                at, (key,), f"「{key}」は {{see}} にもあります", f"“{key}” stands in {{see}} too",
                "並び(- で始まる行)でないものは、ひとつのファイルにだけ書いてください",
                "only lists may be spread over several files", see=(key,),
            )  # fmt: skip

    def _note(self, key: str, value: object, at: int) -> None:
        self._keys.setdefault(key, at)
        if isinstance(value, list):
            self._homes.setdefault(key, []).extend((at, index) for index in range(len(value)))

    def _wrong(
        self, at: int, loc: Loc, ja: str, en: str, do_ja: str = "", do_en: str = "", see: Loc | None = None
    ) -> None:
        one = Finding(loc, ja, en, do_ja, do_en, on_key=True, see=see)
        self.findings.append((at, self.sources[at][1].place(loc, on_key=True), one))


def read_text(text: str, file: str) -> Document:
    """A plan that stands in one text. An `include` in it is a finding: there is no folder to look in."""
    document = Document(None, [], [])
    document.add(file, text)
    if isinstance(document.data, dict) and document.data.pop(INCLUDE, None) is not None:
        document._wrong(
            0, (INCLUDE,), "ここでは部品を取り込めません(ひとつの文として読んでいます)",
            "parts cannot be included here: the plan is read as one text",
            "部品の中身をここに書いてください", "put their content here",
        )  # fmt: skip
    return document


def read_file(path: Path) -> Document:
    """A plan in a file and the parts that it includes. SiteError when a file cannot be read."""
    document = Document(None, [], [])
    source = document.add(str(path), read_whole(path))
    if not isinstance(document.data, dict):
        return document
    parts = document.data.pop(INCLUDE, None)
    if parts is None:
        return document
    if not isinstance(parts, list) or len(parts) > MAX_PARTS:
        document._wrong(
            0, (INCLUDE,), f"ファイル名の並びが要ります({MAX_PARTS}個まで)",
            f"needs a list of file names (up to {MAX_PARTS})",
            "- hours.yaml のように書いてください", "write it like - hours.yaml",
        )  # fmt: skip
        document.broken = True
        return document
    for index, part in enumerate(parts):
        problem = _refused(path.parent, part, parts[:index])
        if problem is None:
            name = str(path.parent / str(part))
            document.add(name, read_whole(path.parent / str(part)))
            if sum(len(text) for text in document.texts) > MAX_BYTES:
                raise _too_large(path)
            continue
        one = Finding((INCLUDE, index), *problem)
        document.broken = True
        document.findings.append((0, source.place(one.loc), one))
    return document


def _refused(folder: Path, part: object, before: list[object]) -> tuple[str, str, str, str] | None:
    """Why a part is not read, if so."""
    if not isinstance(part, str) or not part or "\x00" in part or "\\" in part:
        return (
            "ファイル名が要ります", "needs a file name",
            "hours.yaml のように書いてください", "write it like hours.yaml",
        )  # fmt: skip
    pure = PurePosixPath(part)
    beside = (folder / pure).resolve().is_relative_to(folder.resolve())
    if pure.is_absolute() or ".." in pure.parts or not beside:
        return (
            f"「{part}」は、このファイルのあるフォルダーの外です",
            f"“{part}” is outside the folder of this file",
            "部品は、もとのファイルと同じフォルダーか、その下に置いてください",
            "put parts beside the main file or below it",
        )  # fmt: skip
    if any(isinstance(other, str) and PurePosixPath(other) == pure for other in before):
        return (
            f"「{part}」は2回書かれています", f"“{part}” is included twice",
            "ひとつ消してください", "remove one",
        )  # fmt: skip
    if not (folder / pure).is_file():
        return (
            f"「{part}」がありません", f"there is no “{part}”",
            "ファイル名を確かめてください", "check its name",
        )  # fmt: skip
    return None


def read_whole(path: Path) -> str:
    """The text of a UTF-8 file as it is (a byte order mark aside). SiteError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large(path)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _whole(
            path,
            f"文字コードがUTF-8ではありません({error.start}バイト目)", f"not UTF-8 (at byte {error.start})",
            "UTF-8で保存し直してください", "save it as UTF-8",
        ) from None  # fmt: skip
    except OSError as error:
        raise _whole(
            path, f"読めません({error.strerror})", f"cannot be read ({error.strerror})",
            "ファイルの場所と権限を確かめてください", "check the path and its permissions",
        ) from None  # fmt: skip


def _too_large(path: Path) -> SiteError:
    return _whole(
        path,
        "ファイルが大きすぎます",
        "the file is too large",
        "4 MB 以下にしてください",
        "keep it under 4 MB",
    )


def _whole(path: Path, ja: str, en: str, do_ja: str, do_en: str) -> SiteError:
    return SiteError([Problem(str(path), 0, "", ja, do_ja, en, do_en)])


def plan_text(path: Path | str) -> str:
    """The plan as one YAML text, as a version is kept: the file as it stands, or with the parts that it
    includes merged into it (remarks beside what is merged may be lost). SiteError when a file cannot be read;
    whether the plan is right is not asked."""
    document = read_file(Path(path))
    if any(at for at, _, _ in document.findings) or document.data is None:
        raise SiteError(document.problems())
    if len(document.sources) == 1 and INCLUDE not in _keys_of(document.sources[0][1]):
        return document.texts[0]
    if document.findings:
        raise SiteError(document.problems())
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    whole = yaml.load(document.texts[0])
    whole.pop(INCLUDE)
    for text in document.texts[1:]:
        for key, value in (yaml.load(text) or {}).items():
            if key in whole:
                whole[key].extend(value)
            else:
                whole[key] = value
    out = io.StringIO()
    yaml.dump(whole, out)
    return out.getvalue()


def _keys_of(source: Source) -> set[str]:
    return set(source.data) if isinstance(source.data, dict) else set()
