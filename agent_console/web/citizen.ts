// 市民の電話: the demo's citizen, a telephone that can only call the centre's numbers.

import { microphone } from "./mic";
import { el, page, put, show, t } from "./page";
import { BrowserPhone } from "./phone";
import { everySecond, span } from "./time";

const CAUSES: Record<string, string> = {
  Busy: "busy",
  Rejected: "unavailable",
  Unavailable: "unavailable",
  "Not Found": "notfound",
  "User Denied Media Access": "media",
  "Connection Error": "connection",
  "Request Timeout": "connection",
};

let began = 0;
let over = "";

const setup = page.phone;
if (!setup) throw new Error("the citizen's page came without its phone");
const phone = new BrowserPhone(setup, el<HTMLAudioElement>("remote"), microphone, {
  changed: draw,
  ended: (cause) => {
    const why = CAUSES[cause];
    over = why ? t("citizen.failed", { why: t(`cause.${why}`) }) : t("citizen.ended");
    began = 0;
  },
});

function draw(): void {
  const registered = phone.registration === "registered";
  const busy = phone.session !== null;
  el<HTMLButtonElement>("call").disabled = !registered || busy;
  el<HTMLButtonElement>("end").disabled = !busy;
  document.querySelectorAll<HTMLButtonElement>("[data-key]").forEach((key) => (key.disabled = !phone.talking));
  document.querySelectorAll<HTMLInputElement>("input[name=number]").forEach((input) => (input.disabled = busy));
  if (phone.talking && !began) began = Date.now();
  const state = el("call-state");
  state.dataset.state = phone.talking ? "talking" : busy ? "ringing" : "off";
  const word = phone.talking ? "citizen.talking" : busy ? "citizen.calling" : registered ? "citizen.idle" : "citizen.unregistered";
  put(el("call-word"), !busy && registered && over ? over : t(word));
  tick();
}

function tick(): void {
  put(el("call-timer"), phone.talking && began ? span((Date.now() - began) / 1000) : "");
}

function message(text: string): void {
  put(el("phone-message"), text);
  show(el("phone-message"), text !== "");
}

el("call").addEventListener("click", () => {
  const chosen = document.querySelector<HTMLInputElement>("input[name=number]:checked");
  if (!chosen) return;
  over = "";
  message("");
  phone.call(chosen.value).catch((error: unknown) => message(error instanceof Error ? error.message : String(error)));
});
el("end").addEventListener("click", () => phone.end());
document.querySelectorAll<HTMLElement>("[data-key]").forEach((key) => {
  key.addEventListener("click", () => phone.digits(key.dataset.key ?? ""));
});

everySecond(tick);
phone.start();
draw();
