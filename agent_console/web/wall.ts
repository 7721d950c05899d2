// The wall screen: large figures and the operators' states. It stays up for days: it reconnects by itself, loads anew
// when the centre has newer scripts, and goes blank with words when its link is revoked.

import type { BoardFigures } from "./board_types";
import { missesText } from "./board_figures";
import { el, make, page, put, show, t } from "./page";
import { drawState, shapeOf } from "./states";
import { clock, everySecond, secondsSince, serverTime, span } from "./time";

interface Person {
  id: string;
  name: string;
  state: string;
  since: string;
}

interface WallUpdate {
  at: string;
  page: string;
  engine?: "connected" | "away";
  switch?: boolean;
  waiting?: { count: number; longest_since: string | null };
  wall?: { kpi: Pick<BoardFigures, "total" | "targets" | "stale"> | null; people: Person[] };
}

const REVOKED = 4410;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const SILENT_MS = 40_000; // the console says something every 15 s: a line that says nothing is dead
const NAMES_MAX = 24; // more names would be too small to be read
const ORDER = ["ready", "ringing", "talking", "hold", "wrap_up", "break", "training", "no_answer"];

let over = false;
let tries = 0;
let silent = 0;
let people: Person[] = [];
let longest: string | null = null;

function connect(): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}${location.pathname}/live`);
  let ended = false;
  const again = (code: number) => {
    if (ended) return;
    ended = true;
    window.clearTimeout(silent);
    if (code === REVOKED) blank();
    else {
      away(true);
      const wait = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] ?? 8000;
      tries += 1;
      window.setTimeout(connect, wait * (0.8 + Math.random() * 0.4));
    }
  };
  const listen = () => {
    window.clearTimeout(silent);
    silent = window.setTimeout(() => {
      socket.close();
      again(0);
    }, SILENT_MS);
  };
  listen();
  socket.onmessage = (message: MessageEvent<string>) => {
    tries = 0;
    listen();
    take(JSON.parse(message.data) as WallUpdate);
  };
  socket.onclose = (event) => again(event.code);
}

/** Words instead of figures, for good; nothing of them stays in the page. */
function blank(): void {
  over = true;
  show(el("wall"), false);
  show(el("wall-blank"), true);
  el("wall").replaceChildren();
}

function away(yes: boolean): void {
  show(el("wall-away"), yes);
  document.body.dataset.stale = String(yes);
}

function take(update: WallUpdate): void {
  if (update.page !== document.body.dataset.script) {
    location.reload();
    return;
  }
  serverTime(update.at);
  if (update.engine !== undefined || update.switch !== undefined) {
    if (update.engine) document.body.dataset.engine = update.engine;
    if (update.switch !== undefined) document.body.dataset.switch = String(update.switch);
  }
  away(document.body.dataset.engine === "away" || document.body.dataset.switch === "false");
  if (update.waiting) {
    value("wall-waiting", String(update.waiting.count), page.language === "ja" ? "人" : "");
    longest = update.waiting.longest_since;
    el("wall-waiting").classList.toggle("some", update.waiting.count > 0);
  }
  if (update.wall) {
    if (update.wall.kpi) figures(update.wall.kpi);
    people = update.wall.people;
    drawPeople();
  }
  tick();
}

function value(id: string, text: string, unit = ""): void {
  const place = el(id).querySelector(".value");
  if (!place || place.textContent === text + unit) return;
  place.textContent = text;
  if (unit) place.append(make("small", "", unit));
}

function target(id: string, text: string, met: boolean | null, meter = ""): void {
  const place = el(id).querySelector(".target");
  if (place && place.textContent !== text + meter) {
    place.textContent = text;
    if (meter) place.append(make("b", "meter", meter));
  }
  el(id).classList.toggle("missed", met === false);
  el(id).classList.toggle("met", met === true);
}

function figures(kpi: Pick<BoardFigures, "total" | "targets">): void {
  const { total, targets } = kpi;
  const percent = (share: number) => (share * 100).toFixed(1);
  const rate = (id: string, now: number | null, wanted: number, misses: string) => {
    value(id, now === null ? t("board.none") : percent(now), now === null ? "" : "%");
    target(id, `${t("board.target")} ${percent(wanted).replace(/\.0$/, "")}%`, now === null ? null : now >= wanted, misses);
  };
  rate("wall-rate", total.answer_rate, targets.answer_rate, total.offered ? missesText(total.misses?.answer) : "");
  rate("wall-within", total.within_rate, targets.within_rate, total.answered ? missesText(total.misses?.within) : "");
  const mean = total.mean_answer_s;
  value("wall-mean", mean === null ? t("board.none") : mean.toFixed(1), mean === null ? "" : t("board.second"));
  target("wall-mean", `${t("board.target")} ${targets.mean_answer_s}${t("board.second")}`, mean === null ? null : mean <= targets.mean_answer_s);
  value("wall-abandoned", String(total.abandoned));
  target("wall-abandoned", t("board.offered", { n: total.offered }), null);
}

function drawPeople(): void {
  const counts = ORDER.flatMap((state) => {
    const count = people.filter((one) => one.state === state).length;
    if (!count) return [];
    const item = make("li");
    item.dataset.state = state;
    item.append(make("span", "shape", shapeOf(state)), make("span", "word", t(`state.${state}`)), make("b", "num", String(count)));
    return [item];
  });
  el("wall-states").replaceChildren(...counts);
  const list = el("wall-people");
  const few = people.length <= NAMES_MAX;
  show(list, few);
  document.body.dataset.size = people.length <= 8 ? "large" : people.length <= 15 ? "middle" : few ? "small" : "counts";
  if (!few) return;
  list.replaceChildren(
    ...people.map((one) => {
      const item = make("li");
      item.dataset.operator = one.id;
      item.append(make("span", "shape"), make("b", "name", one.name), make("span", "word"), make("span", "num timer"));
      drawState(item, one.state);
      return item;
    }),
  );
}

function tick(): void {
  if (over) return;
  put(el("wall-longest"), longest ? span(secondsSince(longest)) : "0:00");
  put(el("wall-clock"), clock(new Date(Date.now()).toISOString()));
  [...el("wall-people").children].forEach((item, i) => {
    const timer = item.querySelector(".timer");
    const one = people[i];
    if (timer && one) put(timer, span(secondsSince(one.since)));
  });
}

everySecond(tick);
connect();
