// What every page has: htmx, and menus that close as people expect.

import htmx from "htmx.org";

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
