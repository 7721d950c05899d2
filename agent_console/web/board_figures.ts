// The top row: each figure large, with its target; late is told by weight and colour at the number.

import type { BoardFigures, BoardKpi, Left, Scope } from "./board_types";
import { el, make, page, put, t } from "./page";

const percent = (share: number): string => (share * 100).toFixed(1);
const none = () => t("board.none");
const wantedText = (share: number): string => `${t("board.target")} ${percent(share).replace(/\.0$/, "")} %`;

/** Sets the large value of a figure, its unit small beside it. */
export function value(figure: HTMLElement, text: string, unit = ""): void {
  const place = figure.querySelector(".value");
  if (!place || place.textContent === text + unit) return;
  place.textContent = text;
  if (unit) place.append(make("small", "", unit));
}

function target(id: string, text: string, met: boolean | null, meter = ""): void {
  const figure = el(id);
  const place = figure.querySelector(".target");
  if (place && place.textContent !== text + meter) {
    place.textContent = text;
    if (meter) place.append(make("b", "meter", meter));
  }
  figure.classList.toggle("met", met === true);
  figure.classList.toggle("missed", met === false);
}

/** あとN件まで: how many more calls may miss the target, or how many must meet it now. */
export function missesText(left: Left | undefined): string {
  if (!left) return "";
  if (left.needed) return ` ${t("board.misses_needed", { n: left.needed })}`;
  if (left.needed === null) return ` ${t("board.misses_gone")}`;
  return left.left === null ? "" : ` ${t("board.misses", { n: left.left })}`;
}

/** The figures of what is shown. */
export function kpiOf(scope: Scope, kpi: BoardFigures): BoardKpi {
  if (scope.kind === "number") return kpi.numbers.find((one) => one.number === scope.id) ?? kpi.total;
  if (scope.kind === "queue") return kpi.queues?.find((one) => one.id === scope.id) ?? kpi.total;
  return kpi.total;
}

const reached = (share: number | null, wanted: number): boolean | null => (share === null ? null : share >= wanted);

export function drawFigures(kpi: BoardFigures, scope: Scope): void {
  const now = kpiOf(scope, kpi);
  const { targets } = kpi;
  const second = t("board.second");
  value(el("fig-rate"), now.answer_rate === null ? none() : percent(now.answer_rate), now.answer_rate === null ? "" : "%");
  target("fig-rate", wantedText(targets.answer_rate), reached(now.answer_rate, targets.answer_rate), now.offered ? missesText(now.misses?.answer) : "");
  const mean = now.mean_answer_s;
  value(el("fig-mean"), mean === null ? none() : mean.toFixed(1), mean === null ? "" : second);
  target("fig-mean", `${t("board.target")} ${targets.mean_answer_s} ${second}`, mean === null ? null : mean <= targets.mean_answer_s);
  value(el("fig-within"), now.within_rate === null ? none() : percent(now.within_rate), now.within_rate === null ? "" : "%");
  target("fig-within", wantedText(targets.within_rate), reached(now.within_rate, targets.within_rate), now.answered ? missesText(now.misses?.within) : "");
  value(el("fig-abandoned"), String(now.abandoned));
  const share = now.offered ? t("board.abandoned_rate", { rate: percent(now.abandoned / now.offered) }) : "";
  target("fig-abandoned", t("board.offered", { n: now.offered }), null, share);
  put(el("callbacks-today"), t("board.callbacks", { n: now.callbacks ?? 0 }));
  put(el("formula"), now.formula[page.language]);
  const rows = kpi.numbers.map((one) => row(one.name, one.number, one, kpi));
  const queues = (kpi.queues ?? []).length > 1 ? (kpi.queues ?? []).map((one) => row(t("board.scope_queue", { name: one.name }), "", one, kpi)) : [];
  el("numbers").replaceChildren(...rows, ...queues);
}

const otherOf = (kpi: BoardKpi): number => kpi.offered - kpi.answered - kpi.abandoned;

function row(name: string, number: string, kpi: BoardKpi, all: BoardFigures): HTMLElement {
  const made = make("tr");
  const title = make("td", "", name);
  if (number) title.append(" ", make("span", "num muted", number));
  const cell = (text: string, missed = false) => {
    const one = make("td", "num right");
    one.append(missed ? make("b", "missed", text) : text);
    return one;
  };
  const share = (rate: number | null, wanted: number) =>
    cell(rate === null ? none() : `${percent(rate)} %`, rate !== null && rate < wanted);
  const mean = kpi.mean_answer_s;
  made.append(
    title,
    cell(String(kpi.offered)),
    cell(String(kpi.answered)),
    cell(String(kpi.abandoned)),
    cell(String(otherOf(kpi))),
    share(kpi.answer_rate, all.targets.answer_rate),
    cell(mean === null ? none() : `${mean.toFixed(1)} ${t("board.second")}`, mean !== null && mean > all.targets.mean_answer_s),
    share(kpi.within_rate, all.targets.within_rate),
  );
  return made;
}
