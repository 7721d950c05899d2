// What cannot be undone takes two presses: the first arms the button and says so.

import { announce } from "./announce";
import { el, put, t } from "./page";

const ARMED_MS = 4000;

/** A button whose second press does it. `word`: the id of the element that holds its word. */
export class Armed {
  private timer = 0;
  private usual = "";

  constructor(
    private readonly button: string,
    private readonly word: string,
    private readonly again: string,
    private readonly work: () => void,
    by: "hand" | "key" = "hand", // "key": by hand one press is enough
  ) {
    if (by === "hand") el(button).addEventListener("click", () => this.press());
    el(button).addEventListener("blur", () => this.disarm());
  }

  press(): void {
    const button = el<HTMLButtonElement>(this.button);
    if (button.disabled || button.offsetParent === null) return;
    if (this.timer) {
      this.disarm();
      this.work();
      return;
    }
    this.usual = el(this.word).textContent ?? "";
    put(el(this.word), t(this.again));
    announce(t(this.again), String(Date.now()));
    button.classList.add("armed");
    this.timer = window.setTimeout(() => this.disarm(), ARMED_MS);
  }

  disarm(): void {
    if (!this.timer) return;
    window.clearTimeout(this.timer);
    this.timer = 0;
    el(this.button).classList.remove("armed");
    put(el(this.word), this.usual);
  }
}
