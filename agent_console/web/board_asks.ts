// Who needs the supervisor: requests for help (手上げ) and alarms, one list in one place; and its sound.

import { ApiError, post } from "./api";
import type { Alarm } from "./board_types";
import { AlarmSound } from "./board_sound";
import type { Help } from "./live";
import { el, make, page, put, say, show, t } from "./page";
import { clock, secondsSince, span } from "./time";

const path = (id: string | number): string => encodeURIComponent(String(id));
const keyOf = (alarm: Alarm): string => `${alarm.kind} ${alarm.subject} ${alarm.at}`;

/** What an alarm says, in words. */
export function alarmText(alarm: Alarm): string {
  const share = (value: string) => (/^[01]\.\d{3}$/.test(value) ? (Number(value) * 100).toFixed(1) : value);
  return t(`alarm.${alarm.kind}`, { subject: alarm.subject_name, value: share(alarm.value), threshold: share(alarm.threshold) });
}

export class Asks {
  private readonly sound = new AlarmSound();
  private readonly rows = new Map<string, HTMLElement>();
  private helps: Help[] = [];
  private alarms: Alarm[] = [];
  private replying: string | null = null;
  private first = true;

  /** `respond` is pressed 応じる: the help is taken, and its call listened to. */
  constructor(
    private readonly name: (id: string | null) => string,
    private readonly respond: (help: Help) => void,
  ) {}

  take(helps: Help[] | undefined, alarms: Alarm[] | undefined): void {
    if (helps === undefined && alarms === undefined) return;
    if (helps) this.helps = helps;
    if (alarms) this.alarms = alarms;
    const urgent = this.helps.some((one) => one.state === "open" && one.urgent)
      || this.alarms.some((one) => one.kind === "emergency" && !one.over_at && !one.acknowledged_at);
    const calling = [
      ...this.helps.filter((one) => one.state === "open").map((one) => `help ${one.id}`),
      ...this.alarms.filter((one) => !one.acknowledged_at && !one.over_at).map(keyOf),
    ];
    this.sound.follow(calling, urgent, this.first);
    this.first = false;
    this.draw();
  }

  draw(): void {
    const helps = [...this.helps].sort((a, b) => Number(b.urgent) - Number(a.urgent) || a.at.localeCompare(b.at));
    const rank = (one: Alarm) => (one.over_at ? 2 : one.acknowledged_at ? 1 : 0);
    const alarms = [...this.alarms].sort((a, b) => rank(a) - rank(b) || b.at.localeCompare(a.at));
    const worst = (one: Alarm) => one.kind === "emergency" && !one.over_at;
    const known = new Set<string>();
    const lines = [
      ...alarms.filter(worst).map((one) => this.alarmRow(one, known)),
      ...helps.map((help) => this.helpRow(help, known)),
      ...alarms.filter((one) => !worst(one)).map((one) => this.alarmRow(one, known)),
    ];
    for (const key of this.rows.keys()) if (!known.has(key)) this.rows.delete(key);
    const list = el("asks");
    if (lines.some((row, i) => list.children[i] !== row) || list.children.length !== lines.length) {
      const focused = document.activeElement as HTMLElement | null;
      list.replaceChildren(...lines);
      if (focused && list.contains(focused)) focused.focus(); // an answer being typed goes on
    }
    put(el("asks-empty"), t("board.nothing_asked"));
    show(el("asks-empty"), lines.length === 0);
    const open = this.alarms.filter((one) => !one.over_at).length;
    put(el("asks-count"), open ? t("alarm.count", { n: open }) : "");
    this.tick();
  }

  tick(): void {
    for (const help of this.helps) {
      const place = this.rows.get(`help ${help.id}`)?.querySelector(".since");
      if (place) put(place, span(secondsSince(help.at)));
    }
  }

  // -- help

  private helpRow(help: Help, known: Set<string>): HTMLElement {
    const key = `help ${help.id}`;
    known.add(key);
    const row = this.rows.get(key) ?? this.newHelp(key, help);
    const part = (name: string) => row.querySelector<HTMLElement>(name) ?? row;
    row.dataset.state = help.state;
    row.classList.toggle("urgent", help.urgent);
    const name = this.name(help.operator);
    put(part(".what"), t("help.asks", { name }) + (help.urgent ? ` · ${t("help.urgent")}` : ""));
    const texts = help.messages.map((one) => (one.by === help.operator ? one.text : `${this.name(one.by)}: ${one.text}`)).filter(Boolean);
    put(part(".text"), texts.join("\n") || t("help.no_text"));
    put(part(".by"), help.state === "taken" && help.by ? t("help.taken", { name: this.name(help.by) }) : "");
    part(".respond").setAttribute("aria-label", t("help.respond_of", { name }));
    part(".done").setAttribute("aria-label", t("help.close_of", { name }));
    part("input").setAttribute("aria-label", t("help.reply_label", { name }));
    show(part("form"), this.replying === help.id);
    return row;
  }

  private newHelp(key: string, help: Help): HTMLElement {
    const row = make("li", "ask help");
    row.dataset.help = help.id;
    const head = make("div", "head");
    head.append(make("span", "shape", "！"), make("b", "what"), make("span", "num since muted"), make("span", "by muted"));
    const buttons = make("span", "acts");
    if (page.board?.supervises) {
      buttons.append(
        this.button("respond primary", "help.respond", () => this.answer(help.id)),
        this.button("reply", "help.reply", () => this.open(help.id)),
        this.button("done", "help.close", () => void this.do(`/helps/${path(help.id)}/close`)),
      );
    }
    head.append(buttons);
    const form = make("form", "reply-form") as HTMLFormElement;
    const field = make("input") as HTMLInputElement;
    field.maxLength = 1000;
    form.append(field, make("button", "small-button", t("board.send")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.reply(help.id, field);
    });
    form.hidden = true;
    row.append(head, make("p", "text"), form);
    this.rows.set(key, row);
    return row;
  }

  private answer(id: string): void {
    const help = this.helps.find((one) => one.id === id);
    if (!help) return;
    void this.do(`/helps/${path(id)}/take`);
    this.respond(help);
  }

  private open(id: string): void {
    this.replying = this.replying === id ? null : id;
    this.draw();
    if (this.replying) this.rows.get(`help ${id}`)?.querySelector("input")?.focus();
  }

  private async reply(id: string, field: HTMLInputElement): Promise<void> {
    const text = field.value.trim();
    if (!text || !(await this.do(`/helps/${path(id)}/say`, { text }))) return;
    field.value = "";
    this.replying = null;
    say(t("help.sent"));
    this.draw();
  }

  // -- alarms

  private alarmRow(alarm: Alarm, known: Set<string>): HTMLElement {
    const key = keyOf(alarm);
    known.add(key);
    const row = this.rows.get(key) ?? this.newAlarm(key);
    const part = (name: string) => row.querySelector<HTMLElement>(name) ?? row;
    const what = alarmText(alarm);
    row.dataset.kind = alarm.kind;
    row.dataset.alarm = String(alarm.id ?? "");
    row.dataset.state = alarm.over_at ? "over" : alarm.acknowledged_at ? "seen" : "on";
    put(part(".shape"), alarm.over_at ? "△" : "▲");
    put(part(".at"), clock(alarm.at));
    put(part(".what"), what);
    const notes = [
      alarm.over_at ? t("alarm.over", { at: clock(alarm.over_at) }) : "",
      alarm.acknowledged_by ? t("alarm.acknowledged", { name: this.name(alarm.acknowledged_by) }) : "",
      alarm.mail_problem ? t("alarm.unmailed") : "",
    ];
    put(part(".by"), notes.filter(Boolean).join(" · "));
    part(".by").title = alarm.mail_problem ?? "";
    const button = part("button") as HTMLButtonElement;
    button.setAttribute("aria-label", t("alarm.acknowledge_of", { what }));
    show(button, alarm.acknowledged_at === null && alarm.id !== null && Boolean(page.board?.sees_alarms));
    return row;
  }

  private newAlarm(key: string): HTMLElement {
    const row = make("li", "ask alarm");
    const head = make("div", "head");
    head.append(make("span", "shape"), make("span", "num at"), make("b", "what"), make("span", "by muted"));
    const buttons = make("span", "acts");
    buttons.append(this.button("seen", "alarm.acknowledge", () => void this.do(`/alarms/${path(row.dataset.alarm ?? "")}/acknowledge`)));
    head.append(buttons);
    row.append(head);
    this.rows.set(key, row);
    return row;
  }

  private button(name: string, word: string, work: () => void): HTMLElement {
    const made = make("button", `small-button ${name}`, t(word));
    made.setAttribute("type", "button");
    made.addEventListener("click", work);
    return made;
  }

  private async do(where: string, body?: unknown): Promise<boolean> {
    try {
      await post(where, body);
      return true;
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), "error");
      return false;
    }
  }
}
