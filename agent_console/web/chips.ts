// Numbers as chips: typed, taken over with Enter, a comma or a blank, removed with ✕ or Backspace.

import { el, make, put, say, t } from "./page";

const MOST = 20;

export class Chips {
  private numbers: string[] = [];

  constructor(
    private readonly field: HTMLInputElement,
    private readonly list: HTMLElement,
    private readonly changed: () => void,
  ) {
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter" || event.key === "," || event.key === " ") {
        event.preventDefault();
        this.take();
      } else if (event.key === "Backspace" && field.value === "" && this.numbers.length) {
        this.set(this.numbers.slice(0, -1));
        this.changed();
      }
    });
    field.addEventListener("blur", () => this.take());
  }

  get value(): string[] {
    return this.numbers;
  }

  set(numbers: string[]): void {
    this.numbers = [...new Set(numbers)].slice(0, MOST);
    this.list.replaceChildren(
      ...this.numbers.map((number) => {
        const chip = make("li", "chip-number");
        const remove = make("button", "link", "✕") as HTMLButtonElement;
        remove.type = "button";
        remove.setAttribute("aria-label", t("wrap.faq_remove", { n: number }));
        remove.addEventListener("click", () => {
          this.set(this.numbers.filter((one) => one !== number));
          this.field.focus();
          this.changed();
        });
        chip.append(make("span", "num", `#${number}`), remove);
        return chip;
      }),
    );
  }

  private take(): void {
    // Full-width digits come from Japanese keyboards.
    const typed = this.field.value.normalize("NFKC").replace(/[#\s,、]+/g, " ").trim();
    if (!typed) return;
    const numbers = typed.split(" ");
    if (numbers.some((one) => !/^[0-9]{1,8}$/.test(one))) {
      say(t("wrap.faq_digits"), "error");
      return;
    }
    this.field.value = "";
    this.set([...this.numbers, ...numbers]);
    this.changed();
    put(el("announcer"), t("wrap.faq_added", { n: numbers.join(", ") }));
  }
}
