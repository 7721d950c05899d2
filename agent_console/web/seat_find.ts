// 職員録・転送先: found while typing; each line with its hours, and the buttons that give the call to it.

import { ApiError, get } from "./api";
import { announce } from "./announce";
import type { Target } from "./live";
import { el, make, page, put, say, show, t } from "./page";
import { everySecond } from "./time";

/** How the directory answers (GET /api/v1/directory). */
interface Entry {
  id: number;
  department: string;
  section: string;
  person: string;
  duties: string;
  extension: string;
  direct: string;
  note: string;
  rank: number; // 0: its whole number was typed
  open: { is_open: boolean; until: string | null; next_open: string | null; hours: string; words: string };
}

interface Within {
  operators: { id: string; name: string; state: string; reachable: boolean }[];
  queues: { id: string; name: string; waiting: number }[];
}

export type How = "consult" | "blind";

const TYPING_MS = 120;
const AGAIN_S = 60;
const LIMIT = 20;

export class Find {
  private asked = 0;
  private timer = 0;
  private age = 0;
  private why = "";

  /** `start` begins a transfer; false when it was refused (then the sentence is shown here). */
  constructor(private readonly start: (how: How, to: Target) => Promise<void>) {
    const field = el<HTMLInputElement>("find");
    field.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.search(), TYPING_MS);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") {
        if (event.isComposing) return; // Enter ends a conversion to 漢字 first
        event.preventDefault();
        this.buttons()[0]?.focus();
      }
      if (event.key === "Escape" && field.value) {
        field.value = "";
        void this.search();
      }
    });
    el("found").addEventListener("keydown", (event) => this.move(event));
    // Departments open and close while the list stands there.
    everySecond(() => {
      this.age += 1;
      if (this.age >= AGAIN_S && document.visibilityState === "visible") void this.search();
    });
    void this.search();
  }

  focus(): void {
    const field = el<HTMLInputElement>("find");
    field.focus();
    field.select();
  }

  /** Whether there is a call to give away; else why not. */
  follow(why: string): void {
    if (why === this.why) return;
    this.why = why;
    document.querySelectorAll<HTMLElement>("#found button").forEach((button) => this.allow(button));
  }

  private async search(): Promise<void> {
    this.age = 0;
    const turn = ++this.asked;
    const text = el<HTMLInputElement>("find").value.trim();
    const q = encodeURIComponent(text);
    const [entries, within] = await Promise.allSettled([
      text ? get<{ entries: Entry[] }>(`/directory?q=${q}&limit=${LIMIT}`) : Promise.resolve({ entries: [] }),
      get<Within>(`/targets?q=${q}`),
    ]);
    if (turn !== this.asked) return; // a later letter has its answer already, or will
    const rows: HTMLElement[] = [];
    if (entries.status === "fulfilled") rows.push(...entries.value.entries.map((one) => this.entryRow(one)));
    const dialled = text.replace(/[-() ]/g, "");
    const known = entries.status === "fulfilled" && entries.value.entries.some((one) => one.rank === 0);
    if (!known && /^[0-9*#+]{2,}$/.test(dialled)) rows.push(...this.dialledRows(dialled, text));
    if (within.status === "fulfilled") {
      const [there, away] = [true, false].map((is) => within.value.operators.filter((one) => one.reachable === is));
      rows.push(...(there ?? []).map((one) => this.operatorRow(one)));
      rows.push(...within.value.queues.map((one) => this.queueRow(one)));
      rows.push(...(away ?? []).map((one) => this.operatorRow(one)));
    }
    const failed = entries.status === "rejected" ? entries.reason : null;
    this.problem(failed instanceof ApiError && failed.status !== 404 ? failed.message : "");
    this.draw(rows);
    put(el("found-empty"), text ? t("find.nothing", { q: text }) : "");
    show(el("found-empty"), rows.length === 0 && text !== "");
    if (text) announce(t("find.count", { n: rows.length }), text);
  }

  /** The same line keeps its place in the keyboard's focus when the list is read anew. */
  private draw(rows: HTMLElement[]): void {
    const active = document.activeElement as HTMLElement | null;
    const key = active?.closest<HTMLElement>("#found li")?.dataset.key;
    const how = active?.dataset.how;
    el("found").replaceChildren(...rows);
    if (key) el("found").querySelector<HTMLElement>(`li[data-key="${CSS.escape(key)}"] button[data-how="${how ?? ""}"]`)?.focus();
  }

  /** Shows why a transfer was refused where it was asked for. */
  problem(text: string): void {
    put(el("find-problem"), text);
    show(el("find-problem"), text !== "");
  }

  private entryRow(one: Entry): HTMLElement {
    const inside = one.extension !== "" && (page.seat?.extensions != null || !one.direct);
    const target: Target = {
      kind: inside ? "extension" : "outside",
      number: inside ? one.extension : one.direct,
      name: [one.section, one.person].filter(Boolean).join(" "),
      department: one.department,
      entry: one.id,
    };
    const row = make("li", one.open.is_open ? "open" : "closed");
    row.dataset.key = `entry ${one.id}`;
    const title = make("p", "line");
    title.append(make("b", "", [one.department, one.section].filter(Boolean).join(" ")), make("span", "", one.person));
    const number = [one.extension ? t("transfer.extension", { n: one.extension }) : "", one.direct ? t("find.direct", { n: one.direct }) : ""];
    title.append(make("span", "num number", number.filter(Boolean).join("  ")));
    row.append(title);
    if (one.duties) row.append(make("p", "small duties", one.duties));
    const hours = make("p", "small hours");
    // Closed: the whole sentence to tell the citizen. Open: until when is enough.
    const mark = one.open.is_open ? "●" : "○";
    const shape = make("span", "shape", mark);
    shape.setAttribute("aria-hidden", "true");
    hours.append(shape, ` ${t(one.open.is_open ? "find.open" : "find.closed")} `, make("span", "num", one.open.is_open ? one.open.hours : one.open.words));
    row.append(hours);
    if (one.note) row.append(make("p", "small muted", one.note));
    const shut = one.open.is_open ? "" : `${t("find.closed")} ${one.open.words}`;
    row.append(this.actions(target, `${one.department} ${one.section}`, shut));
    return row;
  }

  private operatorRow(one: Within["operators"][number]): HTMLElement {
    const why = one.reachable ? "" : t("find.why_state", { state: t(`state.${one.state}`) });
    const target: Target = { kind: "operator", number: one.id, name: one.name };
    return this.simpleRow(`operator ${one.id}`, one.name, t("find.operator", { id: one.id }), target, why, t(`state.${one.state}`), one.reachable);
  }

  private queueRow(one: Within["queues"][number]): HTMLElement {
    const target: Target = { kind: "queue", number: one.id, name: one.name };
    return this.simpleRow(`queue ${one.id}`, one.name, t("find.queue", { n: one.waiting }), target, "", "", true, ["blind"]);
  }

  private dialledRows(digits: string, text: string): HTMLElement[] {
    const rows: HTMLElement[] = [];
    const [least, most] = page.seat?.extensions ?? [1, 0];
    if (digits.length >= least && digits.length <= most) {
      const target: Target = { kind: "extension", number: digits };
      rows.push(this.simpleRow(`ext ${digits}`, t("transfer.extension", { n: digits }), t("find.as_extension"), target, "", "", true));
    }
    if (page.seat?.dials && digits.length >= 3) {
      const target: Target = { kind: "outside", number: digits };
      rows.push(this.simpleRow(`out ${digits}`, text, t("find.as_outside"), target, "", "", true));
    }
    return rows;
  }

  private simpleRow(key: string, name: string, what: string, target: Target, why: string, word: string, open: boolean, hows: How[] = ["consult", "blind"]): HTMLElement {
    const row = make("li", open ? "open" : "closed");
    row.dataset.key = key;
    const title = make("p", "line");
    title.append(make("b", "", name), make("span", "small muted", [what, word].filter(Boolean).join(" · ")));
    row.append(title);
    if (why && !word) row.append(make("p", "small because", why));
    row.append(this.actions(target, name, why, hows));
    return row;
  }

  private actions(target: Target, name: string, why: string, hows: How[] = ["consult", "blind"]): HTMLElement {
    const place = make("div", "give");
    for (const how of hows) {
      const button = make("button", "small-button", t(`find.${how}`)) as HTMLButtonElement;
      button.type = "button";
      button.dataset.how = how;
      button.dataset.why = why;
      button.setAttribute("aria-label", `${t(`find.${how}`)} ${name.trim()}`);
      button.addEventListener("click", () => void this.give(button, how, target));
      this.allow(button);
      place.append(button);
    }
    return place;
  }

  /** A button that cannot be used stays where the keyboard finds it, and says why. */
  private allow(button: HTMLElement): void {
    const why = button.dataset.why || this.why;
    button.setAttribute("aria-disabled", String(why !== ""));
    button.title = why;
  }

  private async give(button: HTMLElement, how: How, target: Target): Promise<void> {
    const why = button.dataset.why || this.why;
    if (why) {
      say(why);
      return;
    }
    this.problem("");
    button.setAttribute("aria-busy", "true");
    try {
      await this.start(how, target);
    } catch (error) {
      this.problem(error instanceof Error ? error.message : String(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  private buttons(): HTMLElement[] {
    return [...document.querySelectorAll<HTMLElement>("#found button")];
  }

  /** Arrows: up and down to the same button of the next line, left and right within it. */
  private move(event: KeyboardEvent): void {
    const now = event.target as HTMLElement;
    const rows = [...el("found").children] as HTMLElement[];
    const at = rows.findIndex((row) => row.contains(now));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && at >= 0) {
      event.preventDefault();
      const next = rows[at + step];
      if (!next && step < 0) el("find").focus();
      const buttons = [...(next?.querySelectorAll<HTMLElement>("button") ?? [])];
      (buttons.find((one) => one.dataset.how === now.dataset.how) ?? buttons[0])?.focus();
      next?.scrollIntoView({ block: "nearest" });
    }
    const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (aside !== undefined && at >= 0) {
      event.preventDefault();
      const buttons = [...(rows[at]?.querySelectorAll<HTMLElement>("button") ?? [])];
      buttons[buttons.indexOf(now) + aside]?.focus();
    }
    if (event.key === "Escape") el("find").focus();
  }
}
