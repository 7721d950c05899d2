// Tabs by the pattern that screen readers know: one stop of Tab, arrows between them.

/** The tabs of a `role="tablist"`; each names its panel in `aria-controls`. */
export class Tabs {
  private readonly tabs: HTMLElement[];

  constructor(list: HTMLElement) {
    this.tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
    this.tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => this.open(tab.id));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = this.tabs[(i + step + this.tabs.length) % this.tabs.length];
        if (next) this.open(next.id);
        next?.focus();
      });
    });
  }

  open(id: string): void {
    for (const tab of this.tabs) {
      const on = tab.id === id;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (panel && panel.hidden === on) panel.hidden = !on;
    }
  }
}
