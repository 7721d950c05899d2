// 分類: the site's tree, found by any part of a branch's name. A site without a tree takes free words.

import { el, make, page, show, t } from "./page";

interface Branch {
  name: string;
  children?: Branch[];
}

const JOIN = " › ";

/** All branches as paths: `くらし › ごみ › 収集`, each after what it belongs to. */
export function pathsOf(tree: Branch[], above: string[] = []): string[] {
  return tree.flatMap((one) => {
    const path = [...above, one.name];
    return [path.join(JOIN), ...pathsOf(one.children ?? [], path)];
  });
}

export class CategoryField {
  private readonly paths = pathsOf(page.seat?.categories ?? []);
  private readonly field = el<HTMLInputElement>("category");
  private readonly list = el("category-list");
  private at = -1;
  private chosen = "";

  /** `changed` after a branch was chosen or taken away. */
  constructor(private readonly changed: () => void) {
    if (this.paths.length === 0) return;
    const { field } = this;
    field.removeAttribute("list");
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-controls", "category-list");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.addEventListener("focus", () => this.open());
    field.addEventListener("click", () => this.open());
    field.addEventListener("input", () => this.open(field.value));
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.leave());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const option = (event.target as HTMLElement).closest<HTMLElement>("[role=option]");
      if (option) this.choose(option.dataset.path ?? "");
    });
  }

  get value(): string {
    return this.paths.length ? this.chosen : this.field.value.trim();
  }

  set value(path: string) {
    this.chosen = this.paths.includes(path) ? path : "";
    this.field.value = this.paths.length ? this.chosen : path;
  }

  private open(text = ""): void {
    if (this.field.disabled || this.field.closest("fieldset")?.disabled) return;
    const parts = text.trim().toLowerCase().split(/[\s›]+/).filter(Boolean);
    const fit = this.paths.filter((path) => parts.every((part) => path.toLowerCase().includes(part)));
    this.list.replaceChildren(
      ...fit.map((path, i) => {
        const names = path.split(JOIN);
        const option = make("li", "", parts.length ? path : (names[names.length - 1] ?? ""));
        option.id = `category-${i}`;
        option.setAttribute("role", "option");
        option.dataset.path = path;
        option.dataset.depth = parts.length ? "0" : String(Math.min(names.length - 1, 3));
        option.setAttribute("aria-label", path);
        option.setAttribute("aria-selected", String(path === this.chosen));
        return option;
      }),
    );
    if (!fit.length) this.list.replaceChildren(make("li", "empty", t("wrap.no_category")));
    show(this.list, true);
    this.field.setAttribute("aria-expanded", "true");
    this.mark(parts.length ? 0 : fit.indexOf(this.chosen));
  }

  private mark(at: number): void {
    const options = [...this.list.querySelectorAll<HTMLElement>("[role=option]")];
    this.at = options.length ? Math.max(-1, Math.min(at, options.length - 1)) : -1;
    options.forEach((option, i) => option.classList.toggle("at", i === this.at));
    const option = options[this.at];
    if (option) {
      this.field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) this.open();
      this.mark(this.at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      const option = this.list.querySelectorAll<HTMLElement>("[role=option]")[this.at];
      if (option) this.choose(option.dataset.path ?? "");
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.close();
    }
  }

  private choose(path: string): void {
    this.value = path;
    this.close();
    this.changed();
  }

  /** What is no branch is none: a name typed out in full is taken, anything else gives way to the last choice. */
  private leave(): void {
    const typed = this.field.value.trim();
    const exact = this.paths.filter((path) => path === typed || path.endsWith(JOIN + typed));
    const before = this.chosen;
    if (typed === "") this.value = "";
    else if (exact.length === 1 && exact[0]) this.value = exact[0];
    else this.value = this.chosen;
    this.close();
    if (this.chosen !== before) this.changed();
  }

  private close(): void {
    show(this.list, false);
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}
