// 後処理: written from the first word of a conversation on, kept on this machine until it is saved.

import { ApiError, post } from "./api";
import { announce } from "./announce";
import { CategoryField } from "./category";
import { Chips } from "./chips";
import type { Call, Operator } from "./live";
import { el, page, put, say, t } from "./page";
import { secondsSince, span } from "./time";

interface Draft {
  result?: string;
  category?: string;
  note?: string;
  faq?: string[];
  follow?: string;
  due?: string;
  subject?: string;
  title?: string;
}

const PREFIX = `daihyo.wrap.${page.operator ?? ""}.`; // several people may share this machine
const KEEP = 20;
const MORE_S = 60;
const LONGEST_S = 3600;
const CALL_BACK = "callback"; // the result and the follow-up are called the same

export class WrapUp {
  private readonly form = el<HTMLFormElement>("wrap");
  private readonly fields = el<HTMLFieldSetElement>("wrap-fields");
  private readonly category = new CategoryField(() => this.keep());
  private readonly faq = new Chips(el<HTMLInputElement>("faq"), el("faq-list"), () => this.keep());
  private readonly follow_up = el<HTMLSelectElement>("follow");
  private call = "";
  private until: string | null = null;
  private longer: string | null = null; // what was asked for, until the engine has told it
  private open = false;
  private saved = new Set<string>();
  private busy = false;

  constructor(private readonly path: string) {
    this.form.addEventListener("input", () => this.keep());
    this.form.addEventListener("change", (event) => {
      const field = event.target as HTMLInputElement;
      // 折り返し as a result is a promise: what keeps it is proposed at once.
      if (field.name === "result" && field.value === CALL_BACK && !this.follow_up.value) this.follow_up.value = CALL_BACK;
      this.drawFollowUp();
      this.keep();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.done("ready");
    });
    el("done-break").addEventListener("click", () => void this.done("break"));
    el("more-time").addEventListener("click", () => void this.moreTime());
    this.hint("seat.wrap_none");
    this.drawFollowUp();
  }

  /** Follows the operator's state. `call` is the one in progress, or the last one. */
  follow(me: Operator, call: Call | null, talking: boolean): void {
    if (call && call.id !== this.call && (talking || me.state === "wrap_up")) this.begin(call);
    const inWrapUp = me.state === "wrap_up";
    if (!talking && !inWrapUp && me.state !== "ringing" && !this.unsaved()) this.takeUp();
    const until = inWrapUp ? me.until : null;
    if (until === null || this.longer === null || until >= this.longer) this.longer = null;
    this.until = this.longer ?? until;
    // Time may run out before the operator has finished: what is written can still be saved.
    const unsaved = this.unsaved();
    this.open = talking || inWrapUp || unsaved;
    const left = !this.open && this.form.contains(document.activeElement);
    this.fields.disabled = !this.open;
    if (left) el("set-ready").focus(); // else the keyboard's place would be lost with the form
    const may = inWrapUp || (unsaved && !talking);
    el<HTMLButtonElement>("done").disabled = !may;
    el<HTMLButtonElement>("done-break").disabled = !may;
    this.form.dataset.open = String(this.open);
    // Closed unsaved (ready by the state's button): neither the call nor what was missing stands there any longer.
    if (!this.open && el("wrap-for").textContent) this.clear();
    this.tick();
  }

  tick(): void {
    const place = el("wrap-left");
    const left = this.until ? -secondsSince(this.until) : null;
    el("more-time").classList.toggle("dim", left === null);
    const late = !el<HTMLButtonElement>("done").disabled && this.until === null;
    put(place, left !== null ? t("seat.wrap_left", { t: span(Math.ceil(left)) }) : late ? t("seat.wrap_late") : "");
    place.classList.toggle("late", late || (left !== null && left <= 5));
  }

  /** One more minute from the end that stands now. */
  async moreTime(): Promise<void> {
    const until = this.until;
    const button = el<HTMLButtonElement>("more-time");
    if (until === null || button.disabled) return;
    const left = Math.max(0, -secondsSince(until));
    const seconds = Math.min(LONGEST_S, Math.round(left + MORE_S));
    button.disabled = true;
    try {
      await post(`${this.path}/wrap-up/time`, { seconds });
      // What is shown at once is a little early, so that the engine's own time takes over.
      this.until = this.longer = new Date(Date.parse(until) + (seconds - left - 2) * 1000).toISOString();
      say(t("seat.extended"));
      this.tick();
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), "error");
    } finally {
      button.disabled = false;
    }
  }

  /** Saves and ends the wrap-up. */
  async done(next: "ready" | "break"): Promise<void> {
    if (el<HTMLButtonElement>("done").disabled || this.busy) return;
    const draft = this.read();
    if (!draft.result) {
      this.hint("seat.need_result", true);
      announce(t("seat.need_result"), String(Date.now()));
      this.form.querySelector<HTMLInputElement>("input[name=result]")?.focus();
      return;
    }
    this.busy = true;
    const call = this.call;
    const body: Record<string, unknown> = { next };
    if (call) body.call = call;
    for (const key of ["result", "category", "note", "faq"] as const) if (draft[key]) body[key] = draft[key];
    if (draft.follow) {
      body.follow_up = { kind: draft.follow, due_at: draft.due ?? null, subject: draft.subject ?? "" };
    }
    try {
      await post(`${this.path}/wrap-up`, body);
      this.saved.add(call);
      localStorage.removeItem(PREFIX + call);
      if (this.call === call) this.clear();
      say(t("seat.saved"));
    } catch (error) {
      const why = error instanceof ApiError ? error.message : String(error);
      this.tell(why);
      say(why, "error");
    } finally {
      this.busy = false;
    }
  }

  /** To the form by key, wherever the cursor is. */
  focus(): void {
    if (this.open) this.form.querySelector<HTMLInputElement>("input[name=result]:checked, input[name=result]")?.focus();
  }

  private begin(call: Call): void {
    this.call = call.id;
    this.reset();
    const stored = localStorage.getItem(PREFIX + call.id);
    if (stored) this.write(JSON.parse(stored) as Draft);
    put(el("wrap-for"), `${call.number_name ?? call.number_text} ${call.caller_text ?? t("withheld")}`);
    this.hint("seat.wrap_none");
    this.tidy();
  }

  /** Takes up the latest draft that was never saved: the page was reloaded, or the next call came. */
  private takeUp(): void {
    const key = drafts().pop();
    if (!key) return;
    this.call = key.slice(PREFIX.length);
    this.saved.delete(this.call);
    const draft = JSON.parse(localStorage.getItem(key) ?? "{}") as Draft;
    this.reset();
    this.write(draft);
    put(el("wrap-for"), draft.title ?? "");
    this.hint("seat.wrap_kept");
  }

  private unsaved(): boolean {
    return this.call !== "" && !this.saved.has(this.call) && this.hasDraft();
  }

  private hint(key: string, missing = false): void {
    this.tell(t(key), missing);
  }

  private tell(text: string, missing = true): void {
    put(el("wrap-hint"), text);
    el("wrap-hint").classList.toggle("missing", missing);
  }

  private reset(): void {
    this.form.reset();
    this.category.value = "";
    this.faq.set([]);
    this.drawFollowUp();
  }

  private clear(): void {
    this.reset();
    put(el("wrap-for"), "");
    this.hint("seat.wrap_none");
    this.fields.disabled = true;
    el<HTMLButtonElement>("done").disabled = true;
    el<HTMLButtonElement>("done-break").disabled = true;
    this.until = null;
    this.tick();
  }

  /** What is to be done after the call, and by when; the fields keep their place, used or not. */
  private drawFollowUp(): void {
    const none = this.follow_up.value === "";
    for (const id of ["due", "subject"]) el<HTMLInputElement>(id).disabled = none;
  }

  private keep(): void {
    if (!this.call) return;
    const draft = this.read();
    if (Object.keys(draft).length === 0) localStorage.removeItem(PREFIX + this.call);
    else localStorage.setItem(PREFIX + this.call, JSON.stringify({ ...draft, title: el("wrap-for").textContent }));
    if (draft.result && el("wrap-hint").classList.contains("missing")) this.hint("seat.wrap_none");
  }

  /** What stands in the form. A disabled fieldset gives no form data; what it shows is read all the same. */
  private read(): Draft {
    const draft: Draft = {};
    const result = this.form.querySelector<HTMLInputElement>("input[name=result]:checked")?.value;
    if (result) draft.result = result;
    if (this.category.value) draft.category = this.category.value;
    const note = el<HTMLTextAreaElement>("note").value.trim();
    if (note) draft.note = note;
    if (this.faq.value.length) draft.faq = this.faq.value;
    if (this.follow_up.value) {
      draft.follow = this.follow_up.value;
      const due = el<HTMLInputElement>("due").value;
      if (due) draft.due = due;
      const subject = el<HTMLInputElement>("subject").value.trim();
      if (subject) draft.subject = subject;
    }
    return draft;
  }

  private write(draft: Draft): void {
    const result = this.form.querySelector<HTMLInputElement>(`input[name=result][value="${draft.result ?? ""}"]`);
    if (result) result.checked = true;
    this.category.value = draft.category ?? "";
    el<HTMLTextAreaElement>("note").value = draft.note ?? "";
    this.faq.set(draft.faq ?? []);
    this.follow_up.value = draft.follow ?? "";
    el<HTMLInputElement>("due").value = draft.due ?? "";
    el<HTMLInputElement>("subject").value = draft.subject ?? "";
    this.drawFollowUp();
  }

  private hasDraft(): boolean {
    return Object.keys(this.read()).length > 0;
  }

  private tidy(): void {
    // Drafts nobody came back to: the oldest go first.
    const kept = drafts();
    kept.slice(0, Math.max(0, kept.length - KEEP)).forEach((key) => localStorage.removeItem(key));
  }
}

/** The keys of what this operator has not saved, the oldest first: call ids begin with their time and sort by it. */
function drafts(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).sort();
}
