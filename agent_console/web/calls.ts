// The list of calls: a row opens in place; its recording plays there.

import htmx from "htmx.org";

import { Player } from "./player";

const players = new WeakMap<Element, Player>();

// A player loads its sound at once, and each is noted as heard: what is folded away waits until it is opened.
function startPlayers(within: ParentNode): void {
  within.querySelectorAll<HTMLElement>(".player").forEach((node) => {
    const folded = node.closest("details")?.open === false;
    if (!folded && !players.has(node)) players.set(node, new Player(node));
  });
}

document.addEventListener(
  "toggle",
  (event) => {
    const fold = event.target as HTMLElement;
    if (fold.matches("details.consult[open]")) startPlayers(fold);
  },
  true,
);

function toggle(row: HTMLElement, link: HTMLAnchorElement): void {
  const next = row.nextElementSibling;
  const opened = next?.classList.contains("detail-row") ?? false;
  row.classList.toggle("opened", !opened);
  link.setAttribute("aria-expanded", String(!opened));
  if (opened && next) {
    next.querySelectorAll("audio").forEach((audio) => audio.pause());
    next.remove();
    return;
  }
  const detail = document.createElement("tr");
  detail.className = "detail-row";
  const cell = document.createElement("td");
  cell.colSpan = row.children.length;
  detail.append(cell);
  row.after(detail);
  void htmx
    .ajax("get", link.getAttribute("href") ?? "", { target: cell, swap: "innerHTML" })
    .then(() => startPlayers(cell));
}

document.addEventListener("click", (event) => {
  const target = event.target as HTMLElement;
  const row = target.closest<HTMLElement>(".call-row");
  const link = row?.querySelector<HTMLAnchorElement>("a.open");
  const mouse = event as MouseEvent;
  if (!row || !link || mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
  event.preventDefault();
  toggle(row, link);
});

startPlayers(document);
