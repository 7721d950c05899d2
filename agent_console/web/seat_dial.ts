// 発信: a number, the last ones again, and the digits sent into a conversation.

import { ApiError, post } from "./api";
import { el, make, page, put, show, t } from "./page";

const KEY = `daihyo.dialled.${page.operator ?? ""}`;
const KEPT = 4;
const today = () => new Date().toDateString();

interface Kept {
  day: string;
  numbers: string[];
}

export class Dialling {
  private about: string | null = null;

  constructor(private readonly path: string) {
    el<HTMLFormElement>("dial-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.dial(el<HTMLInputElement>("dial-number").value.trim());
    });
    this.drawLast();
  }

  /** Shown while no call rings or runs. `about`: the call just over, whose number is shown to the other side. */
  follow(free: boolean, about: string | null): void {
    this.about = about;
    show(el("dial-form"), free && page.seat?.dials === true);
    show(el("dialled"), free && page.seat?.dials === true);
  }

  focus(): void {
    el("dial-number").focus();
  }

  /** Calls back whoever a case is about: the console knows the number. */
  async callBack(settles: number): Promise<void> {
    await this.ask(`/cases/${settles}/dial`, {}, "");
  }

  /** Calls; why not is said where the number stands. */
  async dial(number: string): Promise<void> {
    if (!number) {
      this.focus();
      return;
    }
    if (await this.ask(`${this.path}/dial`, this.about ? { number, about: this.about } : { number }, number)) this.keep(number);
  }

  /** Whether the call is on its way: what was refused is not to be dialled again. */
  private async ask(path: string, body: object, number: string): Promise<boolean> {
    const button = el<HTMLButtonElement>("dial");
    if (button.disabled) return false;
    button.disabled = true;
    this.problem("");
    try {
      await post(path, body);
      el<HTMLInputElement>("dial-number").value = "";
      return true;
    } catch (error) {
      el<HTMLInputElement>("dial-number").value = number;
      this.problem(error instanceof ApiError ? error.message : String(error));
      return false;
    } finally {
      button.disabled = false;
    }
  }

  private problem(text: string): void {
    put(el("dial-problem"), text);
    show(el("dial-problem"), text !== "");
  }

  /** Kept for today only, on this machine only. */
  private keep(number: string): void {
    const numbers = [number, ...last().filter((one) => one !== number)].slice(0, KEPT);
    localStorage.setItem(KEY, JSON.stringify({ day: today(), numbers } satisfies Kept));
    this.drawLast();
  }

  private drawLast(): void {
    const numbers = last();
    el("dialled").replaceChildren(
      ...(numbers.length ? [make("span", "small muted", t("dial.again"))] : []),
      ...numbers.map((number) => {
        const button = make("button", "small-button num", number) as HTMLButtonElement;
        button.type = "button";
        button.setAttribute("aria-label", t("dial.again_to", { n: number }));
        button.addEventListener("click", () => void this.dial(number));
        return button;
      }),
    );
  }
}

function last(): string[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
    if (kept?.day === today()) return kept.numbers;
  } catch {
    /* not ours */
  }
  localStorage.removeItem(KEY);
  return [];
}

/** 番号キー: digits for whomever the operator talks with, by mouse or by typing them. */
export class Pad {
  private sent = "";

  constructor(private readonly send: (digits: string) => Promise<void>) {
    el("pad-open").addEventListener("click", () => this.toggle());
    el("pad").addEventListener("keydown", (event) => {
      if (/^[0-9*#]$/.test(event.key)) {
        event.preventDefault();
        void this.press(event.key);
      }
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close();
        el("pad-open").focus();
      }
    });
    el("pad").querySelectorAll<HTMLElement>("[data-digit]").forEach((button) => {
      button.addEventListener("click", () => void this.press(button.dataset.digit ?? ""));
    });
    el("pad-close").addEventListener("click", () => {
      this.close();
      el("pad-open").focus();
    });
  }

  /** Open while somebody is there to hear it. */
  follow(may: boolean): void {
    el<HTMLButtonElement>("pad-open").disabled = !may;
    if (!may) this.close();
  }

  toggle(): void {
    if (el<HTMLButtonElement>("pad-open").disabled) return;
    const open = el("pad").hidden;
    show(el("pad"), open);
    el("pad-open").setAttribute("aria-expanded", String(open));
    if (open) {
      this.sent = "";
      put(el("pad-sent"), "");
      el("pad").querySelector<HTMLElement>("[data-digit]")?.focus();
    }
  }

  private close(): void {
    if (el("pad").hidden) return;
    show(el("pad"), false);
    el("pad-open").setAttribute("aria-expanded", "false");
  }

  private async press(digit: string): Promise<void> {
    this.sent = (this.sent + digit).slice(-16);
    put(el("pad-sent"), this.sent);
    await this.send(digit);
  }
}
