// The live board: figures with their targets, who waits, what the operators do.

import { LiveLine, type Call, type Figures, type KpiFigures, type Operator, type Update } from "./live";
import { el, make, page, put, show, t } from "./page";
import { drawState, shapeOf } from "./states";
import { clock, everySecond, secondsSince, span } from "./time";
import { WaitingList } from "./waiting";

const COUNTED_S = 900; // who was on duty for less is not compared
// The tally's order: who needs eyes first stands first.
const ORDER = ["no_answer", "ringing", "talking", "hold", "wrap_up", "ready", "training", "break", "off"];
const operators = new Map<string, Operator>();
const calls = new Map<string, Call>();
const rows = new Map<string, HTMLElement>();
const waiting = new WaitingList(calls, operators);
let longest: string | null = null;

new LiveLine(take);

function take(update: Update): void {
  if (update.full) {
    operators.clear();
    calls.clear();
  }
  update.operators?.forEach((operator) => operators.set(operator.id, operator));
  update.calls?.forEach((call) => calls.set(call.id, call));
  update.gone?.forEach((id) => calls.delete(id));
  update.gone_operators?.forEach((id) => operators.delete(id));
  if (update.waiting) {
    longest = update.waiting.longest_since;
    const figure = el("fig-waiting");
    value(figure, t("people", { n: update.waiting.count }).replace(/\s.*$/, ""), page.language === "ja" ? "人" : "");
    figure.classList.toggle("some", update.waiting.count > 0);
  }
  if (update.kpi) drawFigures(update.kpi);
  if (update.callbacks) {
    const { count, now } = update.callbacks;
    put(el("callbacks"), now ? t("board.callbacks_now", { n: count, now }) : t("board.callbacks", { n: count }));
  }
  drawOperators();
  drawEvenness();
  waiting.draw();
  tick();
}

// -- figures

function value(figure: HTMLElement, text: string, unit = ""): void {
  const place = figure.querySelector(".value");
  if (!place || place.textContent === text + unit) return;
  place.textContent = text;
  if (unit) place.append(make("small", "", unit));
}

function target(id: string, text: string, met: boolean | null): void {
  const figure = el(id);
  const place = figure.querySelector(".target");
  if (place) put(place, text);
  figure.classList.toggle("met", met === true);
  figure.classList.toggle("missed", met === false);
}

/** How far a share is from its target, in calls: how many may still miss it, or how many more must meet it. */
function distance(part: number, whole: number, wanted: number): string {
  if (whole === 0 || wanted <= 0 || wanted >= 1) return "";
  const slack = Math.floor(part / wanted - whole + 1e-9);
  if (slack >= 0) return ` · ${t("board.slack", { n: slack })}`;
  return ` · ${t("board.needed", { n: Math.ceil((wanted * whole - part) / (1 - wanted) - 1e-9) })}`;
}

const percent = (share: number): string => (share * 100).toFixed(1);
const none = () => t("board.none");

function drawFigures(kpi: Figures): void {
  const { total, targets } = kpi;
  const second = t("board.second");
  value(el("fig-rate"), total.answer_rate === null ? none() : percent(total.answer_rate), total.answer_rate === null ? "" : "%");
  target("fig-rate", `${t("board.target")} ${percent(targets.answer_rate).replace(/\.0$/, "")} %${distance(total.answered, total.offered, targets.answer_rate)}`, reached(total.answer_rate, targets.answer_rate));
  value(el("fig-mean"), total.mean_answer_s === null ? none() : total.mean_answer_s.toFixed(1), total.mean_answer_s === null ? "" : second);
  target("fig-mean", `${t("board.target")} ${targets.mean_answer_s} ${second}${total.mean_answer_s !== null && total.mean_answer_s > targets.mean_answer_s ? ` · ${t("board.missed")}` : ""}`, total.mean_answer_s === null ? null : total.mean_answer_s <= targets.mean_answer_s);
  value(el("fig-within"), total.within_rate === null ? none() : percent(total.within_rate), total.within_rate === null ? "" : "%");
  target("fig-within", `${t("board.target")} ${percent(targets.within_rate).replace(/\.0$/, "")} %${distance(total.answered_within, total.answered, targets.within_rate)}`, reached(total.within_rate, targets.within_rate));
  value(el("fig-arrived"), String(total.offered));
  value(el("fig-abandoned"), String(total.abandoned));
  drawArrived(total);
  target("fig-abandoned", total.offered ? t("board.abandoned_rate", { rate: percent(total.abandoned / total.offered) }) : "", null);
  put(el("callbacks-today"), t("board.callbacks", { n: total.callbacks ?? 0 }));
  put(el("formula"), total.formula[page.language]);
  const lines = kpi.numbers.map((number) => numberRow(number, kpi));
  el("numbers").replaceChildren(...lines);
}

/** What came in is what was answered, given up, and the rest: the sum can be checked by eye. */
function drawArrived(total: KpiFigures): void {
  const place = el("fig-arrived").querySelector(".target");
  if (!place) return;
  const other = otherOf(total);
  const words = other ? [t("board.answered", { n: total.answered }), t("board.other", { n: other })] : [t("board.answered", { n: total.answered })];
  if (place.textContent === words.join(" · ")) return;
  place.replaceChildren(words[0] ?? "");
  if (!words[1]) return;
  const link = make("a", "", words[1]);
  link.setAttribute("href", total.lost === other ? "/calls?outcome=lost" : "/calls");
  link.title = t("board.other_title");
  place.append(" · ", link);
}

const otherOf = (kpi: KpiFigures): number => kpi.offered - kpi.answered - kpi.abandoned;

function reached(share: number | null, wanted: number): boolean | null {
  return share === null ? null : share >= wanted;
}

function numberRow(number: KpiFigures & { number: string; name: string }, kpi: Figures): HTMLElement {
  const row = make("tr");
  const name = make("td", "", number.name);
  name.append(" ", make("span", "num muted", number.number));
  const cell = (text: string, missed = false) => {
    const made = make("td", "num right");
    made.append(missed ? make("b", "", text) : text);
    return made;
  };
  const share = (rate: number | null, wanted: number) =>
    cell(rate === null ? none() : `${percent(rate)} %`, rate !== null && rate < wanted);
  row.append(
    name,
    cell(String(number.offered)),
    cell(String(number.answered)),
    cell(String(number.abandoned)),
    cell(String(otherOf(number))),
    share(number.answer_rate, kpi.targets.answer_rate),
    cell(
      number.mean_answer_s === null ? none() : `${number.mean_answer_s.toFixed(1)} ${t("board.second")}`,
      number.mean_answer_s !== null && number.mean_answer_s > kpi.targets.mean_answer_s,
    ),
    share(number.within_rate, kpi.targets.within_rate),
  );
  return row;
}

// -- operators

function drawOperators(): void {
  const list = el("operators");
  // Everybody keeps a place: rows that moved with each state could not be followed. Only who is off stands below.
  const sorted = [...operators.values()].sort(
    (a, b) => Number(a.state === "off") - Number(b.state === "off") || a.id.localeCompare(b.id),
  );
  const wanted = sorted.map((operator) => {
    const row = rows.get(operator.id) ?? operatorRow(operator.id);
    drawOperator(row, operator);
    return row;
  });
  if (wanted.some((row, i) => list.children[i] !== row) || list.children.length !== wanted.length) {
    list.replaceChildren(...wanted);
  }
  put(el("operators-empty"), t("board.no_operators"));
  show(el("operators-empty"), sorted.length === 0);
  drawTally();
}

function operatorRow(id: string): HTMLElement {
  const row = make("li");
  const state = make("span", "st");
  state.append(make("span", "shape"), make("span", "word"));
  const about = make("span", "about");
  about.append(make("span", "marks"), make("span", "dialled"), make("span", "caller num"));
  row.append(make("span", "name"), state, make("span", "timer num"), make("span", "today num"), about, make("span", "with"));
  rows.set(id, row);
  return row;
}

function drawOperator(row: HTMLElement, operator: Operator): void {
  const [name, state, , today, about, phone] = [...row.children] as HTMLElement[];
  if (!name || !state || !today || !about || !phone) return;
  row.dataset.operator = operator.id;
  put(name, operator.name);
  drawState(state, operator.state, operator.reason);
  if (deaf(operator)) {
    state.dataset.state = "no_phone";
    put(state.querySelector(".shape") ?? state, shapeOf("no_phone"));
    state.title = t("board.no_phone_title");
  } else state.removeAttribute("title");
  const call = operator.call ? calls.get(operator.call) : undefined;
  const [marks, dialled, caller] = [...about.children] as HTMLElement[];
  const own = operator.own_call ? t("board.own_call") : "";
  if (dialled) put(dialled, call ? (call.number_name ?? call.number_text) : own);
  if (caller) put(caller, call ? (call.caller_text ?? t("withheld")) : "");
  drawToday(today, operator);
  // What sets an operator apart matters while calls can come; in a call the line belongs to the caller.
  if (marks) drawMarks(marks, operator);
  if (marks) show(marks, call === undefined);
  put(phone, operator.state === "off" ? "" : t(`phone.${operator.phone ?? "none"}`));
  phone.classList.toggle("missing", deaf(operator));
}

/** Ready, but no phone is there to ring. */
const deaf = (operator: Operator): boolean => operator.state === "ready" && operator.phone === null;

/** Today's conversations. */
function drawToday(place: HTMLElement, operator: Operator): void {
  const tally = operator.tally;
  put(place, tally && (tally.calls > 0 || operator.state !== "off") ? t("board.today", { n: tally.calls }) : "");
  place.title = tally
    ? t("board.today_title", { n: tally.calls, talk: span(tally.talk_s), duty: span(tally.duty_s) })
    : "";
}

/** What sets an operator apart: a level that is not the first, a language not all speak, an own limit reached. */
function drawMarks(place: HTMLElement, operator: Operator): void {
  const levels = Object.entries(operator.levels ?? {}).filter(([, level]) => level > 1);
  const queue = (id: string) => page.queues?.find((one) => one.id === id)?.name ?? id;
  const speaks = (one: Operator, language: string) => one.languages == null || one.languages.includes(language);
  const special = (page.languages ?? [])
    .filter((language) => language !== page.site_language)
    .filter((language) => speaks(operator, language) && [...operators.values()].some((one) => !speaks(one, language)));
  const until = operator.limited_until ? clock(operator.limited_until) : "";
  const marks = [
    ...[...new Set(levels.map(([, level]) => level))].sort().map((n) => t("board.level", { n })),
    ...special.map((language) => t(`language.${language}`)),
    ...(until ? [t("board.limited", { t: until })] : []),
  ];
  put(place, marks.join(" "));
  place.title = [
    ...levels.map(([id, n]) => t("board.level_title", { queue: queue(id), n })),
    ...(until ? [t("board.limited_title", { t: until })] : []),
  ].join("\n");
  place.classList.toggle("limited", until !== "");
}

/** 均等度: the fewest and the most calls among those who were on duty long enough to be compared. */
function drawEvenness(): void {
  const counted = [...operators.values()].flatMap((one) =>
    one.tally && one.tally.duty_s >= COUNTED_S ? [one.tally.calls] : [],
  );
  const text = counted.length
    ? t("board.even", { least: Math.min(...counted), most: Math.max(...counted) })
    : t("board.even_none");
  put(el("evenness"), text);
}

/** A conversation counts from its answer, also after a hold. */
function sinceOf(operator: Operator): string {
  const call = operator.state === "talking" && operator.call ? calls.get(operator.call) : undefined;
  return call?.answered_at ?? operator.since;
}

function drawTally(): void {
  const items = ORDER.flatMap((state) => {
    const those = [...operators.values()].filter((operator) => operator.state === state);
    const without = those.filter(deaf).length;
    const count = those.length - without;
    if (!those.length) return [];
    const item = make("li");
    item.dataset.state = state;
    item.append(make("span", "shape", shapeOf(state)), ` ${t(`state.${state}`)} `, make("b", "num", String(count)));
    if (without) item.append(make("span", "missing", ` (${t("board.no_phone")} ${without})`));
    return [item];
  });
  const list = el("tally");
  if (list.textContent !== items.map((item) => item.textContent).join("")) list.replaceChildren(...items);
}

function tick(): void {
  for (const [id, row] of rows) {
    const operator = operators.get(id);
    const timer = row.querySelector(".timer");
    if (operator && timer) put(timer, operator.state === "off" ? "" : span(secondsSince(sinceOf(operator))));
  }
  waiting.tick();
  put(el("waiting-longest"), longest ? span(secondsSince(longest)) : "0:00");
}

everySecond(tick);
