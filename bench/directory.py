"""The directory (職員録): `python -m bench.directory [--json] [--entries N] [--rounds N]`.

Everything that somebody types is searched for letter by letter, as the seat does it: each prefix of each
query is one `find`. Queries are departments, かな, half width, extensions, hyphened numbers, several words,
single letters that nearly every entry has, and words that none has. Times are CPU time of this thread: other
programs on the machine do not count. `loaded_ms` is the directory made from rows that are there already.
"""

from __future__ import annotations

import argparse
import time

from bench.report import Figure, percentile, show
from desk import Directory, Entry

QUERIES = (
    "環境課ごみ係",
    "かんきょうか",
    "カンキョウ ゴミ",
    "ｶﾝｷｮｳ",
    "2314",
    "0246-22-7104",
    "課 係 相談",
    "しょうがいふくし てちょう",
    "山田 太郎",
    "ない言葉ばかり",
    "ＤＸ",
)
DEPARTMENTS = (
    ("環境", "かんきょう"),
    ("市民", "しみん"),
    ("障がい福祉", "しょうがいふくし"),
    ("国保年金", "こくほねんきん"),
    ("都市計画", "としけいかく"),
    ("危機管理", "ききかんり"),
)
DUTIES = (
    "ごみの分別、粗大ごみ、相談",
    "障害者手帳、医療費の助成",
    "住民票、印鑑登録、転入・転出",
    "道路の穴、側溝、街路樹",
)
PEOPLE = (("山田 太郎", "やまだ たろう"), ("髙橋 花子", "たかはし はなこ"), ("", ""))


def entries(count: int) -> list[Entry]:
    """So many entries, alike enough that many fit a short query."""
    made = []
    for n in range(count):
        department, reading = DEPARTMENTS[n % len(DEPARTMENTS)]
        person, kana = PEOPLE[n % len(PEOPLE)]
        made.append(
            Entry(
                department=f"{department}第{n % 97}課",
                section=f"{n % 13}係",
                person=person,
                reading=f"{reading}か {n % 13}がかり {kana}".strip(),
                duties=DUTIES[n % len(DUTIES)],
                extension=f"{10_000 + n}",
                direct=f"0246-{20 + n % 70}-{n % 10_000:04}",
                hours="" if n % 5 else "平日 8:30-17:15",
            )
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.directory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()

    rows = entries(options.entries)
    began = time.thread_time()
    directory = Directory(rows)
    loaded_ms = (time.thread_time() - began) * 1e3
    typed = [query[: end + 1] for query in QUERIES for end in range(len(query))]
    times: dict[str, list[float]] = {each: [] for each in typed}
    for _ in range(options.rounds):
        for each in typed:
            began = time.thread_time()
            directory.find(each, 20)
            times[each].append((time.thread_time() - began) * 1e3)
    every = [took for each in times.values() for took in each]
    slowest = sorted(typed, key=lambda each: -percentile(times[each], 0.5))[:5]
    show(
        f"Directory: {options.entries:,} entries, {len(typed)} things typed",
        [
            Figure("p50", percentile(every, 0.5), "ms", what="of one search"),
            Figure("p99", percentile(every, 0.99), "ms", goal="≤ 50"),
            Figure("max", max(every), "ms"),
            Figure("loaded_ms", loaded_ms, "ms", what="rows to a directory that can be searched"),
        ],
        as_json=options.json,
        notes=[f"{percentile(times[each], 0.5):6.1f} ms  「{each}」" for each in slowest],
    )


if __name__ == "__main__":
    main()
