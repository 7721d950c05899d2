// 緊急 (脅迫・犯行予告) and カスハラ: marks of the call, the timer, the words to read out, the scripted end.

import { announce } from "./announce";
import { Armed } from "./armed";
import type { Call } from "./live";
import { el, page, put, show, t } from "./page";
import { secondsSince, span } from "./time";

export class Alarm {
  private call: Call | null = null;
  private warned = "";

  /** `mark` sets or takes back a mark; `end` lets the scripted words run and closes the line. */
  constructor(
    private readonly mark: (mark: string, on: boolean) => void,
    end: () => void,
  ) {
    const emergency = new Armed("emergency", "emergency-word", "mark.emergency_again", () => this.toggle("emergency"));
    const ending = new Armed("end-politely", "end-politely-word", "mark.end_again", end);
    el("harassment").addEventListener("click", () => this.toggle("harassment"));
    el("harassment-off").addEventListener("click", () => this.mark("harassment", false));
    this.emergency = () => emergency.press();
    this.disarm = () => [emergency, ending].forEach((one) => one.disarm());
    put(el("script"), page.seat?.harassment.script ?? "");
  }

  readonly emergency: () => void;
  private readonly disarm: () => void;

  /** カスハラ by key. */
  harassment(): void {
    if (!el<HTMLButtonElement>("harassment").disabled) this.toggle("harassment");
  }

  draw(call: Call | null): void {
    if (call?.id !== this.call?.id) this.disarm(); // what was begun for one citizen never meets the next
    this.call = call;
    const harassed = this.since("harassment") !== null;
    show(el("harassed"), harassed);
    press("harassment", harassed);
    const alarmed = this.since("emergency") !== null;
    press("emergency", alarmed);
    if (!el("emergency").classList.contains("armed")) put(el("emergency-word"), t(alarmed ? "mark.emergency_off" : "mark.emergency"));
    for (const id of ["emergency", "harassment"]) el<HTMLButtonElement>(id).disabled = call === null;
    this.tick();
  }

  tick(): void {
    const since = this.since("harassment");
    const rules = page.seat?.harassment;
    if (since === null || !rules) return;
    const seconds = secondsSince(since);
    const level = seconds >= rules.end_after_s ? "end" : seconds >= rules.warn_after_s ? "warn" : "";
    el("harassed").dataset.level = level;
    put(el("harassed-timer"), span(seconds));
    const next = level === "" ? rules.warn_after_s : rules.end_after_s;
    put(el("harassed-word"), t(level ? `mark.harassed_${level}` : "mark.harassed", { t: span(next) }));
    if (level && this.warned !== `${this.call?.id} ${level}`) {
      this.warned = `${this.call?.id} ${level}`;
      announce(el("harassed-word").textContent ?? "", this.warned);
    }
  }

  private toggle(name: string): void {
    if (this.call) this.mark(name, this.since(name) === null);
  }

  private since(name: string): string | null {
    return this.call?.marks?.find((one) => one.mark === name)?.at ?? null;
  }
}

function press(id: string, on: boolean): void {
  el(id).setAttribute("aria-pressed", String(on));
}
