// What the server gave this page: texts, CSRF token, who sits here. And small helpers for the document.

import type { BoardSetup } from "./board_types";

/** What the plan says about the seat. */
export interface SeatSetup {
  hops_warn: number;
  harassment: { warn_after_s: number; end_after_s: number; script: string };
  categories: { name: string; children: never[] }[];
  extensions: [number, number] | null; // how long they are; null: there is no exchange
  dials: boolean;
  people: Record<string, string>; // names by login and by operator
}

interface PageData {
  language: "ja" | "en";
  csrf: string | null;
  operator: string | null;
  login: string | null;
  zone: string;
  site_language: string;
  texts: Record<string, string>;
  queues?: { id: string; name: string }[];
  may_move?: boolean;
  languages?: string[];
  seat?: SeatSetup;
  board?: BoardSetup;
  phone?: { user: string; secret: string; domain: string };
}

export const page = JSON.parse(document.getElementById("page-data")?.textContent ?? "{}") as PageData;

/** A text of the interface; `{name}` in it is filled from `values`. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = page.texts[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** An element that the template promises. */
export function el<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found as T;
}

/** Sets a text only when it differs: no needless repaint, nothing read aloud twice. */
export function put(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows or hides an element. */
export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Makes an element: `make("td", "num", "2:07")`. */
export function make(tag: string, className = "", text = ""): HTMLElement {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** Says something once to screen readers, and shows it for a while where people look. */
export function say(text: string, kind: "note" | "error" = "note"): void {
  const place = document.getElementById("said");
  if (!place) return;
  place.dataset.kind = kind;
  put(place, text);
  place.classList.add("shown");
  window.clearTimeout(Number(place.dataset.timer));
  place.dataset.timer = String(window.setTimeout(() => place.classList.remove("shown"), kind === "error" ? 9000 : 3500));
}
