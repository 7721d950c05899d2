// The supervisor's own telephone on the board: what it does now, said in one line that is always there; listening,
// whispering, joining and taking over, switched without hanging up.

import { ApiError, get, post } from "./api";
import type { Calls, Operators } from "./board_types";
import type { Mode } from "./board_operators";
import { MODES } from "./board_operators";
import type { Call, LiveLine, Operator } from "./live";
import { el, make, page, put, say, show, t } from "./page";
import type { Setup } from "./phone";
import { SeatPhone } from "./seat_phone";
import { shapeOf } from "./states";
import { secondsSince, span } from "./time";

const RUNG_MS = 35_000; // so long a telephone may be on its way to ring
const ARMED_MS = 4000;
const path = (id: string): string => encodeURIComponent(id);

export class BoardPhone {
  private readonly phone: SeatPhone | null;
  private me: Operator | null = null;
  private call: Call | null = null;
  private line: LiveLine | null = null;
  private here = false; // this page has the phone
  private asked = 0; // until when what rings is answered by itself: it was asked for here
  private armed = 0;
  private busy = false;

  constructor(
    private readonly operators: Operators,
    private readonly calls: Calls,
  ) {
    if (!page.board?.has_phone) {
      this.phone = null;
      return;
    }
    this.phone = new SeatPhone(
      () => this.changed(),
      () => this.announce(),
    );
    el("sup-modes").replaceChildren(...MODES.map((mode) => this.modeButton(mode)));
    el("sup-take").addEventListener("click", () => this.takeNow());
    el("sup-stop").addEventListener("click", () => this.stop());
    el("sup-answer").addEventListener("click", () => void this.phone?.answer());
    el("sup-hangup").addEventListener("click", () => this.hangUp());
    el("phone-here").addEventListener("click", () => void this.begin());
  }

  start(line: LiveLine): void {
    this.line = line;
  }

  /** Which page has the phone: taken up here unless the seat has it; when that goes, it comes here. */
  place(where: string | null): void {
    if (where !== "seat" && !this.here) void this.begin();
    else this.draw();
  }

  /** Tells the engine, through the console, that this page has the phone, and whether it holds a conversation. */
  announce(): void {
    if (!this.phone?.settled || !this.here) return;
    this.line?.send({ seat: { instance: this.phone.instance, phone: this.phone.kind, in_call: this.phone.talking, page: "board" } });
  }

  /** Another window has taken the phone. */
  replaced(): void {
    this.here = false;
    this.phone?.stop();
    this.draw();
  }

  follow(me: Operator | null | undefined, call: Call | null | undefined): void {
    if (me !== undefined) this.me = me;
    if (call !== undefined) this.call = call;
    if (this.me && this.here) this.phone?.follow(this.me);
    this.draw();
  }

  supervise(operator: Operator, mode: Mode): void {
    const call = operator.call;
    if (!call) return;
    const now = this.me?.supervising ?? null;
    if (now?.call === call && now.mode === mode) {
      this.stop(); // the mode that is on, pressed again
      return;
    }
    void this.ask(`/calls/${path(call)}/supervise`, { mode });
  }

  takeOver(operator: Operator): void {
    if (operator.call) void this.ask(`/calls/${path(operator.call)}/take-over`);
  }

  pull(call: string): void {
    void this.ask(`/calls/${path(call)}/pull`);
  }

  tick(): void {
    const now = this.me?.supervising ?? null;
    const since = now
      ? (this.calls.get(now.call)?.supervision ?? []).find((one) => one.supervisor === page.operator)?.since
      : this.call?.answered_at;
    put(el("sup-timer"), since ? span(secondsSince(since)) : "");
  }

  private async begin(): Promise<void> {
    if (!this.phone) return;
    this.here = true;
    this.draw();
    await this.phone.begin(() => get<Setup>("/session/phone"));
    this.announce();
  }

  private changed(): void {
    const ringing = this.phone?.ringing ?? false;
    // Pulled from here: the hand is at the mouse already, nobody presses twice for one call.
    if (ringing && Date.now() < this.asked) void this.phone?.answer();
    this.phone?.ring(ringing && Date.now() >= this.asked);
    if (this.phone?.talking) this.asked = 0; // it has come
    this.announce();
    this.draw();
  }

  private async ask(where: string, body?: unknown): Promise<void> {
    if (this.busy) return;
    // The microphone is asked for before the telephone rings: a question of the browser would eat the ringing.
    if (this.here && !(await this.phone?.prepare())) {
      el<HTMLDetailsElement>("phone-menu").open = true;
      return;
    }
    const there = this.me?.supervising ?? null;
    if (!there || there.ringing) this.asked = Date.now() + RUNG_MS; // else only the mode changes, nothing rings
    this.busy = true;
    this.draw();
    try {
      await post(where, body);
    } catch (error) {
      this.asked = 0;
      say(error instanceof ApiError ? error.message : String(error), "error");
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  private stop(): void {
    post("/supervision/stop", undefined).catch((error: unknown) => say(error instanceof ApiError ? error.message : String(error), "error"));
  }

  private takeNow(): void {
    const call = this.me?.supervising?.call;
    if (call) void this.ask(`/calls/${path(call)}/take-over`);
  }

  private hangUp(): void {
    const button = el("sup-hangup");
    if (!this.armed) {
      button.classList.add("armed");
      put(button, t("board.hang_up_again"));
      this.armed = window.setTimeout(() => this.disarm(), ARMED_MS);
      return;
    }
    this.disarm();
    if (this.call) {
      post(`/calls/${path(this.call.id)}/hangup`, {}).catch((error: unknown) => say(error instanceof ApiError ? error.message : String(error), "error"));
    }
  }

  private disarm(): void {
    window.clearTimeout(this.armed);
    this.armed = 0;
    el("sup-hangup").classList.remove("armed");
    put(el("sup-hangup"), t("board.hang_up"));
  }

  private modeButton(mode: Mode): HTMLElement {
    const button = make("button", "act", t(`board.${mode}`));
    button.dataset.mode = mode;
    button.addEventListener("click", () => {
      const call = this.me?.supervising?.call;
      if (call) void this.ask(`/calls/${path(call)}/supervise`, { mode });
    });
    return button;
  }

  private draw(): void {
    const strip = el("sup");
    if (!this.phone) {
      strip.dataset.on = "";
      if (page.board?.supervises) put(el("sup-word"), t("board.no_phone_of_own"));
      return;
    }
    const asked = this.me?.supervising ?? null;
    const supervising = asked?.ringing ? null : asked;
    const mode = (supervising?.mode ?? "") as Mode | "";
    const inCall = !supervising && this.call !== null && this.call.phase !== "ringing";
    if (supervising || inCall) this.asked = 0; // it has come
    const rings = !supervising && !inCall && this.phone.ringing && Date.now() >= this.asked;
    const waiting = !supervising && !inCall && !rings && (asked !== null || this.busy || Date.now() < this.asked);
    strip.dataset.on = supervising ? mode : inCall ? "talk" : rings || waiting ? "ring" : "";
    put(el("sup-shape"), supervising ? { listen: "◖", whisper: "◗", join: "◉" }[mode || "listen"] : inCall ? shapeOf("talking") : rings ? shapeOf("ringing") : "");
    put(el("sup-word"), this.words(supervising, mode, inCall, rings, waiting));
    show(el("sup-modes"), supervising !== null);
    for (const button of el("sup-modes").querySelectorAll<HTMLButtonElement>("button")) {
      const name = this.nameOf(supervising?.call);
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
      button.setAttribute("aria-label", t(`board.${button.dataset.mode}_of`, { name }));
    }
    show(el("sup-take"), supervising !== null);
    show(el("sup-stop"), supervising !== null);
    show(el("sup-answer"), rings);
    show(el("sup-hangup"), inCall);
    show(el("sup-seat"), inCall);
    show(el("phone-here"), !this.here);
    show(el("phone-part"), this.here);
    if (!this.here) {
      put(el("phone-state"), t("board.phone_elsewhere"));
      el("phone-state").dataset.ok = "";
    }
    this.tick();
  }

  private nameOf(call: string | undefined): string {
    const operator = call ? this.calls.get(call)?.operator : null;
    return operator ? (this.operators.get(operator)?.name ?? operator) : "";
  }

  private words(supervising: Operator["supervising"] | null, mode: string, inCall: boolean, rings: boolean, waiting: boolean): string {
    if (supervising) return `${t(`board.mode.${mode}`)} ${t("board.with", { name: this.nameOf(supervising.call) })}`;
    const caller = this.call?.caller_text ?? (this.call ? t("withheld") : "");
    if (inCall) return `${t("board.own_talk")} ${caller}`;
    if (rings) return `${t("board.own_ring")} ${caller}`;
    return waiting ? t("board.connecting") : "";
  }
}
