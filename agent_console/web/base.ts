// What every page has: htmx, and menus that close as people expect.

import htmx from "htmx.org";
import { t } from "./page";

(window as unknown as { htmx: unknown }).htmx = htmx;

const menus = () => document.querySelectorAll<HTMLDetailsElement>("details.menu[open]");

document.addEventListener("click", (event) => {
  menus().forEach((menu) => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menus().forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
});

// A table wider than its place says that it scrolls: on a phone nothing else shows it.
const sized = new ResizeObserver((entries) => entries.forEach((entry) => {
  const place = entry.target.closest<HTMLElement>(".wide");
  if (place) sayWide(place);
}));

function sayWide(place: HTMLElement): void {
  if (place.scrollWidth > place.clientWidth + 1) place.dataset.more = t("frame.more");
  else delete place.dataset.more;
}

function watchWide(): void {
  sized.disconnect();
  document.querySelectorAll<HTMLElement>(".wide").forEach((place) => {
    sized.observe(place);
    for (const child of place.children) sized.observe(child);
  });
}

document.addEventListener("htmx:afterSettle", watchWide);
document.addEventListener("toggle", watchWide, true);
watchWide();
