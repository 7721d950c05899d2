// The operators' rows: state, time, call, and what a supervisor does from the row itself.

import type { Calls, Operators, Scope } from "./board_types";
import { serves } from "./board_types";
import type { Call, Operator } from "./live";
import { el, make, page, put, show, t } from "./page";
import { drawState, shapeOf } from "./states";
import { clock, secondsSince, span } from "./time";

export const MODES = ["listen", "whisper", "join"] as const;
export type Mode = (typeof MODES)[number];

const COUNTED_S = 900; // who was on duty for less is not compared
// The tally's order: who needs eyes first stands first.
const ORDER = ["no_answer", "ringing", "talking", "hold", "wrap_up", "ready", "training", "break", "off"];
const TALKS = new Set(["talking", "hold", "consulting", "transferred"]);

/** What the rows ask for. */
export interface RowActions {
  supervise(operator: Operator, mode: Mode): void;
  takeOver(operator: Operator): void;
  state(operator: Operator): void;
}

/** Ready, but no phone is there to ring. */
export const deaf = (operator: Operator): boolean => operator.state === "ready" && operator.phone === null;

export class OperatorList {
  private readonly rows = new Map<string, HTMLElement>();

  constructor(
    private readonly operators: Operators,
    private readonly calls: Calls,
    private readonly actions: RowActions,
  ) {}

  draw(scope: Scope): void {
    const list = el("operators");
    // Everybody keeps a place: rows that moved with each state could not be followed. Only who is off stands below,
    // with those who serve no queue (supervisors), and an emergency above all.
    const sorted = [...this.operators.values()]
      .filter((operator) => serves(scope, operator))
      .sort((a, b) => this.rank(a) - this.rank(b) || a.id.localeCompare(b.id));
    const wanted = sorted.map((operator) => {
      const row = this.rows.get(operator.id) ?? this.newRow(operator.id);
      this.fill(row, operator);
      return row;
    });
    if (wanted.some((row, i) => list.children[i] !== row) || list.children.length !== wanted.length) {
      const focused = document.activeElement as HTMLElement | null;
      list.replaceChildren(...wanted);
      if (focused && list.contains(focused)) focused.focus();
    }
    put(el("operators-empty"), t("board.no_operators"));
    show(el("operators-empty"), sorted.length === 0);
    this.tally(sorted);
    this.evenness(sorted);
  }

  private rank(operator: Operator): number {
    const call = operator.call ? this.calls.get(operator.call) : undefined;
    if (call?.marks?.some((one) => one.mark === "emergency")) return 0;
    return operator.state === "off" || !operator.queues.length ? 2 : 1;
  }

  tick(): void {
    for (const [id, row] of this.rows) {
      const operator = this.operators.get(id);
      const timer = row.querySelector(".timer");
      if (operator && timer) put(timer, operator.state === "off" ? "" : span(secondsSince(this.since(operator))));
    }
  }

  /** The operator of a call, and their row's name. */
  name(id: string | null | undefined): string {
    return (id && (this.operators.get(id)?.name ?? page.board?.people[id])) || "";
  }

  private newRow(id: string): HTMLElement {
    const row = make("li");
    row.dataset.operator = id;
    const state = make("span", "st");
    state.append(make("span", "shape"), make("span", "word"));
    const about = make("span", "about");
    about.append(make("span", "emergency"), make("span", "dialled"), make("span", "caller num"), make("span", "marks"));
    row.append(make("span", "name"), state, make("span", "timer num"), make("span", "today num"), about, this.buttons(id));
    this.rows.set(id, row);
    return row;
  }

  private buttons(id: string): HTMLElement {
    const group = make("span", "acts");
    group.setAttribute("role", "group");
    const of = () => this.operators.get(id);
    if (page.board?.supervises && page.board.has_phone) {
      for (const mode of MODES) {
        const button = make("button", "act", t(`board.${mode}`));
        button.dataset.mode = mode;
        button.setAttribute("aria-pressed", "false");
        button.addEventListener("click", () => {
          const operator = of();
          if (operator) this.actions.supervise(operator, mode);
        });
        group.append(button);
      }
      const take = make("button", "act take", t("board.take"));
      take.addEventListener("click", () => {
        const operator = of();
        if (operator) this.actions.takeOver(operator);
      });
      group.append(take);
    }
    if (page.board?.sets_states) {
      const button = make("button", "act more", "▾");
      button.setAttribute("aria-haspopup", "dialog");
      button.addEventListener("click", () => {
        const operator = of();
        if (operator) this.actions.state(operator);
      });
      group.append(button);
    }
    return group;
  }

  private fill(row: HTMLElement, operator: Operator): void {
    const part = (name: string) => row.querySelector<HTMLElement>(name) ?? row;
    put(part(".name"), operator.name);
    const state = part(".st");
    drawState(state, operator.state, operator.reason);
    if (deaf(operator)) {
      state.dataset.state = "no_phone";
      put(part(".shape"), shapeOf("no_phone"));
      state.title = t("board.no_phone_title");
    } else state.removeAttribute("title");
    const call = operator.call ? this.calls.get(operator.call) : undefined;
    const own = operator.own_call ? t("board.own_call") : "";
    put(part(".dialled"), call ? (call.number_name ?? call.number_text) : own);
    put(part(".caller"), call ? (call.caller_text ?? t("withheld")) : "");
    this.today(part(".today"), operator);
    const marks = part(".marks");
    if (call) {
      put(marks, this.inCall(call).join(" "));
      marks.title = "";
      marks.classList.remove("limited");
    } else this.special(marks, operator);
    this.emergency(row, part(".emergency"), call);
    this.fillButtons(row, operator, call);
  }

  private fillButtons(row: HTMLElement, operator: Operator, call: Call | undefined): void {
    const me = page.operator ? this.operators.get(page.operator) : undefined;
    const supervising = me?.supervising ?? null;
    const possible = call !== undefined && operator.id !== page.operator && TALKS.has(call.phase);
    for (const button of row.querySelectorAll<HTMLButtonElement>(".act")) {
      const mode = button.dataset.mode;
      const named = mode ? `board.${mode}_of` : button.classList.contains("take") ? "board.take_of" : "board.state_of";
      button.setAttribute("aria-label", t(named, { name: operator.name }));
      button.title = button.getAttribute("aria-label") ?? "";
      if (button.classList.contains("more")) continue;
      button.classList.toggle("off", !possible);
      button.disabled = !possible;
      if (mode) button.setAttribute("aria-pressed", String(supervising?.call === call?.id && call !== undefined && supervising?.mode === mode));
    }
    row.classList.toggle("supervised", possible && supervising?.call === call?.id);
  }

  /** 緊急 and カスハラ stand first, in red and amber, at the row. */
  private emergency(row: HTMLElement, place: HTMLElement, call: Call | undefined): void {
    const marks = (call?.marks ?? []).map((one) => one.mark);
    const worst = marks.includes("emergency") ? "emergency" : marks.includes("harassment") ? "harassment" : "";
    row.dataset.mark = worst;
    put(place, worst ? `▲ ${t(`board.${worst}`)}` : "");
  }

  /** Who else is in the call, and to whom it goes. */
  private inCall(call: Call): string[] {
    const found = (call.supervision ?? []).map((one) =>
      t("board.supervised_by", { name: this.name(one.supervisor), mode: t(`board.mode.${one.mode}`) }),
    );
    if (call.transfer) {
      const to = call.transfer.to.name ?? call.transfer.to.department ?? call.transfer.to.number_text ?? call.transfer.to.number;
      const how = { three_way: "board.three_way", transferred: "board.transferred" }[call.transfer.state as string] ?? "board.consulting";
      found.unshift(t(how, { to })); // first: the room may be short
    }
    return found;
  }

  /** Today's conversations. */
  private today(place: HTMLElement, operator: Operator): void {
    const tally = operator.tally;
    put(place, tally && (tally.calls > 0 || operator.state !== "off") ? t("board.today", { n: tally.calls }) : "");
    place.title = tally
      ? t("board.today_title", { n: tally.calls, talk: span(tally.talk_s), duty: span(tally.duty_s) })
      : "";
  }

  /** What sets an operator apart while no call is there: a level that is not the first, a language that not all
   * speak, an own limit reached, no phone. */
  private special(place: HTMLElement, operator: Operator): void {
    const levels = Object.entries(operator.levels ?? {}).filter(([, level]) => level > 1);
    const queue = (id: string) => page.queues?.find((one) => one.id === id)?.name ?? id;
    const speaks = (one: Operator, language: string) => one.languages == null || one.languages.includes(language);
    const languages = (page.languages ?? [])
      .filter((language) => language !== page.site_language)
      .filter((language) => speaks(operator, language) && [...this.operators.values()].some((one) => !speaks(one, language)));
    const until = operator.limited_until ? clock(operator.limited_until) : "";
    const next = operator.next_state ? t("next_state", { state: t(`state.${operator.next_state}`) }) : "";
    const marks = [
      ...[...new Set(levels.map(([, level]) => level))].sort().map((n) => t("board.level", { n })),
      ...languages.map((language) => t(`language.${language}`)),
      ...(until ? [t("board.limited", { t: until })] : []),
      ...(deaf(operator) ? [t("board.no_phone")] : []),
      ...(next ? [next] : []),
    ];
    put(place, marks.join(" "));
    place.title = [
      ...levels.map(([id, n]) => t("board.level_title", { queue: queue(id), n })),
      ...(until ? [t("board.limited_title", { t: until })] : []),
      t(`phone.${operator.phone ?? "none"}`),
    ].join("\n");
    place.classList.toggle("limited", until !== "" || deaf(operator));
  }

  /** 均等度: the fewest and the most calls among those who were on duty long enough to be compared. */
  private evenness(those: Operator[]): void {
    const counted = those.flatMap((one) => (one.tally && one.tally.duty_s >= COUNTED_S ? [one.tally.calls] : []));
    const text = counted.length
      ? t("board.even", { least: Math.min(...counted), most: Math.max(...counted) })
      : t("board.even_none");
    put(el("evenness"), text);
  }

  /** A conversation counts from its answer, also after a hold. */
  private since(operator: Operator): string {
    const call = operator.state === "talking" && operator.call ? this.calls.get(operator.call) : undefined;
    return call?.answered_at ?? operator.since;
  }

  private tally(operators: Operator[]): void {
    const items = ORDER.flatMap((state) => {
      const those = operators.filter((operator) => operator.state === state && operator.queues.length > 0);
      if (!those.length) return [];
      const without = those.filter(deaf).length;
      const item = make("li");
      item.dataset.state = state;
      item.append(make("span", "shape", shapeOf(state)), ` ${t(`state.${state}`)} `, make("b", "num", String(those.length - without)));
      if (without) item.append(make("span", "missing", ` (${t("board.no_phone")} ${without})`));
      return [item];
    });
    const list = el("tally");
    if (list.textContent !== items.map((item) => item.textContent).join("")) list.replaceChildren(...items);
  }
}
