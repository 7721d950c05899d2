// Keys: a table of what each does. None of them alone ends or gives away anything: that takes two presses.

import { el } from "./page";

const SLASH = "daihyo.slash";

/** `F4`, `Shift+F4`. */
export type Keys = Record<string, () => void>;

/** Listens for the keys of the table anywhere on the page, and for `/`, unless it was switched off. */
export function keysListen(keys: Keys, search: () => void): void {
  const dialog = el<HTMLDialogElement>("keys");
  const slash = el<HTMLInputElement>("slash");
  slash.checked = localStorage.getItem(SLASH) !== "off";
  slash.addEventListener("change", () => localStorage.setItem(SLASH, slash.checked ? "on" : "off"));
  el("keys-open").addEventListener("click", () => dialog.showModal());
  el("keys-close").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const open = document.querySelector("dialog[open]") !== null;
    if (event.key === "/" && slash.checked && !open && !writing(event.target)) {
      event.preventDefault();
      search();
      return;
    }
    const work = keys[`${event.shiftKey ? "Shift+" : ""}${event.key}`];
    if (!work) return;
    event.preventDefault();
    if (!event.repeat) work();
  });
}

/** Where a sign is a sign, and no key. */
function writing(target: EventTarget | null): boolean {
  const field = target as HTMLElement | null;
  return field?.matches?.("input:not([type=radio], [type=checkbox], [type=range]), textarea, select") ?? false;
}
