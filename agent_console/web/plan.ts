// The plan's pages: sounds are played, typed text is spoken for listening, nothing typed is lost, lines are numbered.

import { ApiError, post } from "./api";
import { page, say, t } from "./page";

// -- sounds: one at a time

const audio = new Audio();
let playing: HTMLElement | null = null;
let queue: HTMLElement[] = [];

function mark(button: HTMLElement | null, state: string): void {
  if (playing && playing !== button) {
    delete playing.dataset.playing;
    delete playing.dataset.making;
    delete playing.closest("li")?.dataset.current;
  }
  playing = button;
  if (!button) return;
  button.dataset.playing = state;
  if (state === "loading") {
    // A sound that is there comes at once; only one that must be made says so.
    window.setTimeout(() => {
      if (playing === button && button.dataset.playing === "loading") button.dataset.making = t("plan.making");
    }, 300);
  }
  const line = button.closest<HTMLElement>(".lines > li");
  if (line) line.dataset.current = "true";
}

function stop(): void {
  queue = [];
  audio.pause();
  mark(null, "");
}

async function play(button: HTMLElement, address: string): Promise<void> {
  mark(button, "loading");
  audio.src = address;
  try {
    await audio.play();
    if (playing !== button) return;
    button.dataset.playing = "true";
    delete button.dataset.making;
  } catch (error) {
    if (playing !== button) return; // another one was begun meanwhile
    stop();
    say(t("plan.failed", { why: await whyNot(address, error) }), "error");
  }
}

/** The server's sentence; a media element tells nothing but that it failed. */
async function whyNot(address: string, error: unknown): Promise<string> {
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  const told = answer && !answer.ok ? ((await answer.json().catch(() => null)) as { detail?: string } | null) : null;
  return told?.detail ?? (error instanceof Error ? error.name : String(error));
}

audio.addEventListener("ended", () => {
  const next = queue.shift();
  if (next?.dataset.sound) void play(next, next.dataset.sound);
  else mark(null, "");
});

/** Speaks what stands in a field, saved or not. */
async function speak(button: HTMLElement): Promise<void> {
  const field = document.getElementById(button.dataset.for ?? "") as HTMLTextAreaElement | null;
  const text = field?.value.trim() ?? "";
  if (!text) {
    say(t("plan.empty"), "error");
    return;
  }
  mark(button, "loading");
  try {
    const made = await post<{ url: string }>("/plan/preview", { text, language: button.dataset.language });
    if (playing === button) await play(button, made.url);
  } catch (error) {
    if (playing !== button) return; // stopped meanwhile
    stop();
    say(error instanceof ApiError ? error.message : String(error), "error");
  }
}

document.addEventListener("click", (event) => {
  const target = event.target as HTMLElement;
  const all = target.closest<HTMLElement>("#play-all");
  const button = target.closest<HTMLElement>(".play");
  const mouse = event as MouseEvent;
  if (all) {
    const buttons = [...document.querySelectorAll<HTMLElement>(".lines .play")];
    stop();
    queue = buttons.slice(1);
    if (buttons[0]?.dataset.sound) void play(buttons[0], buttons[0].dataset.sound);
    return;
  }
  if (!button || mouse.ctrlKey || mouse.metaKey || mouse.shiftKey) return;
  event.preventDefault();
  const again = button === playing;
  stop();
  if (again) return;
  if (button.classList.contains("speak")) void speak(button);
  else if (button.dataset.sound) void play(button, button.dataset.sound);
});

// -- forms: what was typed and not sent comes back when the page is loaded anew

const KEEP = "daihyo.plan.";
type Kept = Record<string, string>;

function fieldsOf(form: HTMLFormElement): (HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement)[] {
  return [...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>("input, textarea, select")].filter(
    (field) => field.name && !["hidden", "file", "submit"].includes(field.type),
  );
}

const isBox = (field: Element): field is HTMLInputElement =>
  field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");

const nameOf = (field: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement): string =>
  isBox(field) ? `${field.name}=${field.value}` : field.name;

const stateOf = (field: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement): string =>
  isBox(field) ? String(field.checked) : field.value;

function forget(...starts: string[]): void {
  for (const key of Object.keys(sessionStorage)) {
    if (starts.some((start) => key.startsWith(start))) sessionStorage.removeItem(key);
  }
}

function keeps(form: HTMLFormElement): void {
  const key = `${KEEP}${page.login ?? ""}.${form.dataset.keep ?? ""}`;
  const served: Kept = Object.fromEntries(fieldsOf(form).map((field) => [nameOf(field), stateOf(field)]));
  if (form.dataset.saved) forget(key, `${KEEP}${page.login ?? ""}./plan/new/`);
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null") as { served: Kept; typed: Kept } | null;
  // Only over the very same form: if it was changed meanwhile, what was typed may no longer fit.
  if (kept && JSON.stringify(kept.served) === JSON.stringify(served)) {
    for (const field of fieldsOf(form)) {
      const typed = kept.typed[nameOf(field)];
      if (typed === undefined) continue;
      if (isBox(field)) field.checked = typed === "true";
      else field.value = typed;
    }
    if (!form.dataset.refused) say(t("plan.restored"));
  } else sessionStorage.removeItem(key);
  form.addEventListener("input", () => {
    const typed: Kept = {};
    for (const field of fieldsOf(form)) {
      if (stateOf(field) !== served[nameOf(field)]) typed[nameOf(field)] = stateOf(field);
    }
    if (Object.keys(typed).length) sessionStorage.setItem(key, JSON.stringify({ served, typed }));
    else sessionStorage.removeItem(key);
  });
}

// -- the text: numbers beside the lines, and jumps to them

function numbered(text: HTMLTextAreaElement): void {
  const numbers = text.parentElement?.querySelector<HTMLElement>(".gutter");
  if (!numbers) return;
  const bad = new Set([...document.querySelectorAll<HTMLElement>("[data-line]")].map((node) => node.dataset.line ?? ""));
  let drawn = 0;
  const draw = () => {
    const count = text.value.split("\n").length;
    if (count !== drawn) {
      drawn = count;
      numbers.replaceChildren(
        ...Array.from({ length: count }, (_, i) => {
          const line = document.createElement("span");
          line.textContent = `${i + 1}\n`;
          if (bad.has(String(i + 1))) line.className = "bad";
          return line;
        }),
      );
    }
    numbers.scrollTop = text.scrollTop;
  };
  text.addEventListener("input", draw);
  text.addEventListener("scroll", draw);
  draw();
}

function jump(text: HTMLTextAreaElement, line: number): void {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  const height = text.scrollHeight / Math.max(lines.length, 1);
  text.scrollTop = Math.max(0, (line - 5) * height);
}

const text = document.getElementById("plan-text") as HTMLTextAreaElement | null;

function toHash(): void {
  const line = /^#line-(\d+)$/.exec(location.hash)?.[1];
  if (text && line) jump(text, Number(line));
}

if (text) {
  numbered(text);
  toHash();
  window.addEventListener("hashchange", toHash);
  document.addEventListener("click", (event) => {
    const link = (event.target as HTMLElement).closest<HTMLElement>("[data-line]");
    if (!link?.dataset.line) return;
    event.preventDefault();
    jump(text, Number(link.dataset.line));
  });
}

// -- what scripts make possible is shown only with them

function unhide(): void {
  document.querySelectorAll<HTMLElement>(".speak[hidden], #play-all[hidden]").forEach((node) => (node.hidden = false));
}

// It is forgotten only when the server says that it was kept: a sign-in that has run out must not lose it.
const clears = document.querySelector<HTMLElement>("[data-clears]")?.dataset.clears;
if (clears) forget(`${KEEP}${page.login ?? ""}.${clears}`);
document.querySelectorAll<HTMLFormElement>("form[data-keep]").forEach(keeps);
document.addEventListener("change", (event) => {
  const select = event.target as HTMLElement;
  if (select instanceof HTMLSelectElement && select.matches(".event-state")) select.dataset.stateNow = select.value;
});
// -- longer than the plan's hours: from the end of the numbers chosen, else from now

const longer = document.querySelector<HTMLElement>(".longer");
const until = document.querySelector<HTMLInputElement>('.switch-form [name="until"]');
if (longer && until) {
  const shown = () => {
    longer.hidden = !document.querySelector('.switch-form [name="mode"][value="extended"]:checked');
  };
  document.addEventListener("change", shown);
  shown();
  longer.addEventListener("click", (event) => {
    const minutes = (event.target as HTMLElement).dataset.longer;
    if (!minutes) return;
    const ends = [...document.querySelectorAll<HTMLInputElement>('.switch-form [name="number"]:checked')].map(
      (box) => box.dataset.until ?? "",
    );
    // Both are the centre's own clock: reckoned as UTC, so that no summer time of this machine gets between.
    const from = [until.min, ...ends].sort().at(-1) ?? until.min;
    until.value = new Date(Date.parse(`${from}Z`) + Number(minutes) * 60_000).toISOString().slice(0, 16);
    until.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// -- a picture wider than its panel says so

const picture = document.querySelector<HTMLElement>(".picture .scroll");
const wider = document.querySelector<HTMLElement>(".wider");
if (picture && wider) {
  const look = () => {
    wider.hidden = picture.scrollLeft + picture.clientWidth >= picture.scrollWidth - 4;
  };
  picture.addEventListener("scroll", look);
  new ResizeObserver(look).observe(picture);
}

document.addEventListener("htmx:afterSwap", unhide);
unhide();
