// 手上げ: a private word with a supervisor, before, during and after a call.

import { ApiError, post } from "./api";
import type { Help } from "./live";
import { el, make, page, put, show, t } from "./page";
import { helperName } from "./seat_notices";
import { clock } from "./time";

export class HelpDesk {
  private help: Help | null = null;
  private drawn = "";

  /** `reveal` brings the thread to the front; `call` is the call it is about. */
  constructor(
    private readonly path: string,
    private readonly reveal: () => void,
    private readonly call: () => string | null,
  ) {
    el("raise").addEventListener("click", () => this.raise());
    el<HTMLFormElement>("help-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    el("help-close").addEventListener("click", () => void this.close());
  }

  /** Opens the thread with the cursor in it; what is typed there (or nothing) is sent with Enter. */
  raise(): void {
    this.reveal();
    el("help-text").focus();
  }

  draw(helps: Help[]): void {
    const help = helps[0] ?? null;
    const now = JSON.stringify(help);
    if (now === this.drawn && this.drawn !== "") return;
    this.drawn = now;
    this.help = help;
    el("raise").setAttribute("aria-pressed", String(help !== null));
    put(el("raise-word"), t(help ? "ask.raised" : "ask.raise"));
    put(el("help-state"), stateOf(help));
    put(el("help-send"), t(help ? "ask.send" : "ask.ask"));
    show(el("help-close"), help !== null);
    const list = el("help-thread");
    list.replaceChildren(...(help?.messages ?? []).filter((one) => one.text).map(message));
    list.scrollTop = list.scrollHeight;
    const dot = el("tab-help").querySelector(".dot");
    if (dot) put(dot, help ? "●" : "");
  }

  private async send(): Promise<void> {
    const field = el<HTMLInputElement>("help-text");
    const text = field.value.trim();
    if (this.help && !text) return;
    const call = this.call();
    await this.work(async () => {
      if (this.help && this.help.state === "taken") await post(`/helps/${encodeURIComponent(this.help.id)}/say`, { text });
      else await post(`${this.path}/help`, call ? { text, call } : { text });
      field.value = "";
    });
  }

  private async close(): Promise<void> {
    const help = this.help;
    if (help) await this.work(() => post(`/helps/${encodeURIComponent(help.id)}/close`, {}));
  }

  private async work(work: () => Promise<unknown>): Promise<void> {
    const place = el("help-problem");
    try {
      await work();
      show(place, false);
    } catch (error) {
      put(place, error instanceof ApiError ? error.message : String(error));
      show(place, true);
    }
  }
}

function stateOf(help: Help | null): string {
  if (!help) return t("ask.none");
  const at = clock(help.at);
  if (help.state === "taken") return t("ask.taken", { who: helperName(help.by ?? ""), at });
  const answer = help.messages.filter((one) => !isOwn(one.by)).pop();
  return answer ? t("ask.answered", { who: helperName(answer.by), at }) : t("ask.open", { at });
}

const isOwn = (by: string): boolean => by === page.operator || by === page.login;

function message(one: { at: string; by: string; text: string }): HTMLElement {
  const own = isOwn(one.by);
  const item = make("li", own ? "own" : "other");
  item.append(make("span", "small muted", `${own ? t("ask.me") : helperName(one.by)} ${clock(one.at)}`), make("p", "", one.text));
  return item;
}
