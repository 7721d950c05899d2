// The supervisor's board: figures with their targets, who waits, what the operators do, who needs help; and the
// supervisor's own telephone. Each part has a file of its own (board_*.ts).

import { Asks } from "./board_asks";
import { drawFigures, value } from "./board_figures";
import { OperatorList } from "./board_operators";
import { BoardPhone } from "./board_phone";
import { StateDialog } from "./board_states";
import { TrendChart } from "./board_trend";
import { type BoardFigures, type BoardUpdate, inScope, type Scope } from "./board_types";
import { LiveLine, type Call, type Help, type Operator } from "./live";
import { el, page, put, t } from "./page";
import { Tabs } from "./tabs";
import { everySecond, secondsSince, span } from "./time";
import { WaitingList, WAITS } from "./waiting";

const SCOPE_KEY = "daihyo.board-scope";

const operators = new Map<string, Operator>();
const calls = new Map<string, Call>();
const phone = new BoardPhone(operators, calls);
const states = new StateDialog();
const list = new OperatorList(operators, calls, {
  supervise: (operator, mode) => phone.supervise(operator, mode),
  takeOver: (operator) => phone.takeOver(operator),
  state: (operator) => states.open(operator),
});
const waiting = new WaitingList(calls, operators, (call) => phone.pull(call));
const asks = new Asks((id) => list.name(id) || (id ?? ""), respond);
const trend = new TrendChart();
const scopes = el<HTMLSelectElement>("scope");
new Tabs(el("board-tabs")).open("tab-trend");

let scope: Scope = chosen(localStorage.getItem(SCOPE_KEY) ?? "all");
let kpi: BoardFigures | null = null;
let longest: string | null = null;

scopes.addEventListener("change", () => {
  scope = chosen(scopes.value);
  localStorage.setItem(SCOPE_KEY, scopes.value);
  trend.show(scope);
  draw();
});
trend.show(scope);

const line = new LiveLine(
  (update) => take(update as BoardUpdate),
  () => phone.announce(),
);
phone.start(line);

/** What the select says; a number or queue that is no longer there is the whole centre. */
function chosen(text: string): Scope {
  const known = [...scopes.options].some((option) => option.value === text);
  scopes.value = known ? text : "all";
  const [kind, id] = [scopes.value.slice(0, 2), scopes.value.slice(2)];
  return kind === "n:" ? { kind: "number", id } : kind === "q:" ? { kind: "queue", id } : { kind: "all", id: "" };
}

/** 応じる: where the operator is in a call, it is listened to at once. */
function respond(help: Help): void {
  const operator = operators.get(help.operator);
  if (operator?.call && page.board?.has_phone) phone.supervise(operator, "listen");
}

function take(update: BoardUpdate): void {
  if (update.full) {
    operators.clear();
    calls.clear();
  }
  update.operators?.forEach((operator) => operators.set(operator.id, operator));
  update.calls?.forEach((call) => calls.set(call.id, call));
  update.gone?.forEach((id) => calls.delete(id));
  update.gone_operators?.forEach((id) => operators.delete(id));
  if (update.kpi) kpi = update.kpi;
  if (update.callbacks) {
    const { count, now } = update.callbacks;
    put(el("callbacks"), now ? t("board.callbacks_now", { n: count, now }) : t("board.callbacks", { n: count }));
  }
  if (update.trend !== undefined) trend.take(update.trend);
  if (update.replaced) phone.replaced();
  if (update.phone_page !== undefined) phone.place(update.phone_page);
  phone.follow(update.me, update.call);
  asks.take(update.all_helps, update.alarms);
  draw();
}

function draw(): void {
  if (kpi) drawFigures(kpi, scope);
  drawWaiting();
  list.draw(scope);
  waiting.draw(scope);
  tick();
}

function drawWaiting(): void {
  const those = [...calls.values()].filter((call) => WAITS.has(call.phase) && inScope(scope, call));
  const since = those.map((call) => call.queued_at ?? call.since).sort();
  longest = since[0] ?? null;
  const figure = el("fig-waiting");
  value(figure, String(those.length), page.language === "ja" ? "人" : "");
  figure.classList.toggle("some", those.length > 0);
}

function tick(): void {
  list.tick();
  waiting.tick();
  phone.tick();
  asks.tick();
  const seconds = longest ? secondsSince(longest) : 0;
  put(el("waiting-longest"), span(seconds));
  el("fig-waiting").classList.toggle("missed", seconds > (page.board?.late_s ?? Infinity));
}

everySecond(tick);
