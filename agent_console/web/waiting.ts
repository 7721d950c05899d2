// Who waits, on the board: rows that stay where they are, and moving somebody to another queue.

import { ApiError, post } from "./api";
import { inScope, type Scope } from "./board_types";
import type { Call, Operator } from "./live";
import { el, make, page, put, say, show, t } from "./page";
import { shapeOf } from "./states";
import { targetText } from "./targets";
import { secondsSince, span } from "./time";
import { wayOf } from "./way";

const LATE_S = 20;
export const WAITS = new Set(["waiting", "ringing", "returning"]);
// Given away: no operator has them, and nobody is to lose sight of them.
const AWAY = new Set(["transferring", "transferred"]);
// Led by the plan, not yet waiting for anybody here.
const LED = new Set(["greeting", "menu", "announcement", "forwarding"]);

/** Whoever still hears the greeting waits for nobody yet: last, and without a waiting time. */
function rank(call: Call): string {
  return LED.has(call.phase) || AWAY.has(call.phase) ? `1${call.arrived_at}` : `0${call.queued_at ?? call.arrived_at}`;
}

export class WaitingList {
  private readonly rows = new Map<string, HTMLElement>();
  private readonly dialog = el<HTMLDialogElement>("move");
  private readonly queues = page.queues ?? [];
  private moving: string | null = null;

  constructor(
    private readonly calls: Map<string, Call>,
    private readonly operators: Map<string, Operator>,
    private readonly pull: (call: string) => void,
  ) {
    el("move-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => {
      const row = this.moving ? this.rows.get(this.moving) : undefined;
      this.moving = null;
      row?.querySelector<HTMLElement>(".move-button")?.focus();
    });
  }

  draw(scope: Scope): void {
    const waiting = [...this.calls.values()]
      .filter((call) => (WAITS.has(call.phase) || LED.has(call.phase) || (AWAY.has(call.phase) && !call.operator)) && inScope(scope, call))
      .sort((a, b) => rank(a).localeCompare(rank(b)) || a.id.localeCompare(b.id));
    const known = new Set(waiting.map((call) => call.id));
    for (const id of this.rows.keys()) if (!known.has(id)) this.rows.delete(id);
    const lines = waiting.map((call) => {
      const row = this.rows.get(call.id) ?? this.newRow(call.id);
      this.fill(row, call);
      return row;
    });
    const list = el("waiting-list");
    // A row that did not change its place is left alone: a button in it keeps the focus.
    if (lines.some((row, i) => list.children[i] !== row) || list.children.length !== lines.length) {
      list.replaceChildren(...lines);
    }
    put(el("waiting-empty"), t("board.nobody_waits"));
    show(el("waiting-empty"), lines.length === 0);
    this.drawMove();
  }

  tick(): void {
    for (const row of this.rows.values()) {
      const cell = row.querySelector(".since");
      if (!cell) continue;
      const seconds = secondsSince(row.dataset.since);
      put(cell, row.dataset.since ? span(seconds) : "");
      const waits = WAITS.has(this.calls.get(row.dataset.call ?? "")?.phase ?? "");
      cell.classList.toggle("late", waits && Boolean(row.dataset.since) && seconds > (page.board?.late_s ?? LATE_S));
    }
    this.drawWhom();
  }

  private newRow(id: string): HTMLElement {
    const row = make("tr");
    row.dataset.call = id;
    const about = make("td", "dialled-cell");
    about.append(make("span", "dialled"), make("span", "way-line"));
    const state = make("td", "st");
    state.append(make("span", "shape"), make("span", "word"), make("span", "marks"));
    row.append(make("td", "num since"), make("td", "num caller"), about, state);
    const cell = make("td", "right acts");
    if (page.board?.supervises && page.board.has_phone) {
      const button = make("button", "small-button pull", t("board.pull"));
      button.addEventListener("click", () => this.pull(id));
      cell.append(button);
    }
    if (page.may_move) {
      const button = make("button", "small-button move-button", t("board.move"));
      button.addEventListener("click", () => this.open(id));
      cell.append(button);
    }
    if (cell.children.length) row.append(cell);
    this.rows.set(id, row);
    return row;
  }

  private fill(row: HTMLElement, call: Call): void {
    const part = (name: string) => row.querySelector<HTMLElement>(name) ?? row;
    if (LED.has(call.phase)) delete row.dataset.since;
    else if (AWAY.has(call.phase)) row.dataset.since = call.transfer?.since ?? call.since;
    else row.dataset.since = call.queued_at ?? call.arrived_at;
    const caller = call.caller_text ?? t("withheld");
    put(part(".caller"), caller);
    put(part(".dialled"), call.number_name ?? call.number_text);
    put(part(".way-line"), wayOf(call).join(" · "));
    const operator = call.operator ? this.operators.get(call.operator) : undefined;
    const rung = call.phase === "ringing" && operator;
    part(".st").dataset.state = call.phase;
    put(part(".shape"), shapeOf(call.phase));
    put(part(".word"), ` ${rung ? `${t("phase.ringing")} ${operator.name}` : t(`phase.${call.phase}`)}`);
    put(part(".marks"), this.marks(call).join(" · "));
    for (const [name, word] of [["pull", "board.pull_of"], ["move-button", "board.move_of"]] as const) {
      const button = row.querySelector<HTMLButtonElement>(`.${name}`);
      if (!button) continue;
      show(button, WAITS.has(call.phase));
      button.setAttribute("aria-label", t(word, { caller }));
    }
  }

  /** The queue where there are several, priority, where it was moved from. */
  private marks(call: Call): string[] {
    const marks: string[] = [];
    if (AWAY.has(call.phase) && call.transfer) marks.push(`→ ${targetText(call.transfer.to)}`);
    if (this.queues.length > 1 && call.queue && WAITS.has(call.phase)) marks.push(this.queueName(call.queue));
    if (call.priority) marks.push(t("board.priority", { n: call.priority }));
    if (call.moved_from) marks.push(t("board.moved_from", { queue: this.queueName(call.moved_from) }));
    return marks;
  }

  private queueName(id: string): string {
    return this.queues.find((queue) => queue.id === id)?.name ?? id;
  }

  // -- moving

  private open(id: string): void {
    this.moving = id;
    el("move-queues").replaceChildren();
    this.drawMove();
    if (this.moving) this.dialog.showModal();
  }

  /** The queues to choose from, with who waits and who is ready there; closes when the call waits no more. */
  private drawMove(): void {
    if (!this.moving) return;
    const call = this.calls.get(this.moving);
    if (!call || !WAITS.has(call.phase)) {
      this.moving = null;
      this.dialog.close();
      return;
    }
    const list = el("move-queues");
    const others = this.queues.filter((queue) => queue.id !== call.queue);
    if (list.children.length !== others.length) {
      list.replaceChildren(
        ...others.map((queue) => {
          const item = make("li");
          const button = make("button", "big");
          button.dataset.queue = queue.id;
          button.append(make("span", "", t("board.move_to", { queue: queue.name })), make("span", "num muted small"));
          button.addEventListener("click", () => void this.move(queue.id, queue.name));
          item.append(button);
          return item;
        }),
      );
    }
    others.forEach((queue, i) => {
      const there = list.children[i]?.querySelector(".num");
      if (there) put(there, t("board.move_there", this.there(queue.id)));
    });
    put(el("move-none"), t("board.nowhere"));
    show(el("move-none"), others.length === 0);
    this.drawWhom();
  }

  private drawWhom(): void {
    const call = this.moving ? this.calls.get(this.moving) : undefined;
    if (!call) return;
    const waited = span(secondsSince(call.queued_at ?? call.arrived_at));
    put(el("move-whom"), `${call.caller_text ?? t("withheld")} · ${this.queueName(call.queue ?? "")} · ${waited}`);
  }

  private there(queue: string): { waiting: number; ready: number } {
    const waiting = [...this.calls.values()].filter((call) => call.queue === queue && WAITS.has(call.phase)).length;
    const ready = [...this.operators.values()].filter(
      (operator) =>
        operator.state === "ready" && operator.phone !== null && !operator.own_call && operator.queues.includes(queue),
    ).length;
    return { waiting, ready };
  }

  private async move(queue: string, name: string): Promise<void> {
    const id = this.moving;
    if (!id) return;
    try {
      await post(`/calls/${encodeURIComponent(id)}/move`, { queue });
      say(t("board.moved", { queue: name }));
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), "error");
    }
    this.dialog.close();
  }
}
