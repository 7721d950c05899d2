// The operator's seat: state, the call that rings or runs, the phone. Wrap-up and own calls have files of their own.

import { ApiError, get, post } from "./api";
import { LiveLine, type Call, type Callback, type Operator, type Update } from "./live";
import { OwnCalls } from "./own_calls";
import { el, page, put, say, show, t } from "./page";
import { SeatPhone } from "./seat_phone";
import { drawState } from "./states";
import { clock, everySecond, secondsSince, span } from "./time";
import { languageOf, wayOf } from "./way";
import { WrapUp } from "./wrap_up";

const ARMED_MS = 3000;
const LATE_S = 20;
// The engine may have ended a conversation while this page could not hear of it.
const LEFT_OVER_MS = 3000;

const operator = page.operator ?? "";
const path = `/operators/${encodeURIComponent(operator)}`;

let me: Operator | null = null;
let call: Call | null = null;
let lastCall: Call | null = null;
let callback: Callback | null = null;
let waitingSince: string | null = null;
let armed = 0;
let leftOver = 0;

const phone = new SeatPhone(() => draw(), () => announce());
const wrapUp = new WrapUp(path);
const own = new OwnCalls(operator);
const line = new LiveLine(take, () => announce());

/** Tells the engine, through the console, that this page is the seat, and whether it holds the conversation. */
function announce(): void {
  if (!phone.settled) return; // a phone that is just registering announces the seat when it has
  line.send({ seat: { instance: phone.instance, phone: phone.kind, in_call: phone.talking } });
}

function take(update: Update): void {
  if (update.replaced) {
    phone.stop();
    line.stop();
    put(el("away-live"), t("seat.replaced"));
    show(el("away-live"), true);
    document.body.dataset.away = "live";
    return;
  }
  if (update.me !== undefined) me = update.me;
  if (update.call !== undefined) call = update.call;
  if (update.callback !== undefined) callback = update.callback;
  if (call && (call.phase === "talking" || call.phase === "hold")) lastCall = call;
  if (update.waiting) {
    put(el("waiting-count"), t("people", { n: update.waiting.count }));
    waitingSince = update.waiting.longest_since;
    el("waiting-longest-box").classList.toggle("dim", waitingSince === null);
  }
  if (update.own_today !== undefined) own.figures(update.own_today);
  if (me) phone.follow(me);
  endLeftOver();
  draw();
}

function endLeftOver(): void {
  const inCall = me !== null && ["ringing", "talking", "hold"].includes(me.state);
  window.clearTimeout(leftOver);
  if (!inCall && phone.talking) leftOver = window.setTimeout(() => phone.leftOver(), LEFT_OVER_MS);
}

function draw(): void {
  if (!me) return;
  const state = me.state;
  drawState(el("state"), state, me.reason);
  for (const name of ["ready", "break", "training", "off"]) {
    const button = el(`set-${name}`);
    button.setAttribute("aria-pressed", String(state === name));
    button.classList.toggle("next", me.next_state === name && state !== name);
  }
  const offered = state === "ringing" && callback?.state === "ringing";
  const calling = state === "talking" && callback?.state === "calling";
  const ringing = state === "ringing" && (call !== null || offered);
  const talking = (state === "talking" || state === "hold") && call !== null && !calling;
  drawState(el("now"), calling ? "calling" : state);
  el("current").dataset.phase = ringing ? "ringing" : calling ? "calling" : talking ? state : "idle";
  if (callback && (offered || calling)) drawCallback(callback, offered);
  else if (call && (ringing || talking)) drawCall(call, state);
  else drawIdle(state);
  show(el("callback-mark"), callback !== null && (offered || calling || talking));
  drawActions(ringing, talking, calling, state);
  phone.ring(ringing && phone.kind === "browser");
  wrapUp.follow(me, talking ? call : lastCall, talking);
  tick();
}

function drawCall(now: Call, state: string): void {
  put(el("number-name"), now.number_name ?? now.number_text);
  put(el("number-digits"), now.number_name ? now.number_text : "");
  put(el("caller"), now.caller_text ?? t("withheld"));
  put(el("way"), wayOf(now).join(" · "));
  put(el("hint"), hintOf(now, state));
}

/** Whom, which number they had called, how they came, since when, how often tried: before anybody is called. */
function drawCallback(now: Callback, offered: boolean): void {
  put(el("number-name"), t("seat.callback_called", { name: now.called_name ?? "", number: now.called_text ?? "" }).trim());
  if (!now.called_name && !now.called_text) put(el("number-name"), "");
  put(el("number-digits"), "");
  put(el("caller"), now.number_text);
  put(el("way"), [now.path?.length ? t("way", { path: now.path.join(" → ") }) : "", languageOf(now.language)].filter(Boolean).join(" · "));
  put(el("hint"), callbackHint(now, offered));
}

function callbackHint(now: Callback, offered: boolean): string {
  const since = t("seat.callback_since", { at: clock(now.place_since), t: span(secondsSince(now.place_since)) });
  const tries = now.tries ? t("seat.callback_tries", { n: now.tries }) : t("seat.callback_first_try");
  return `${since} · ${tries}\n${t(offered ? "seat.callback_first" : "seat.callback_calling")}`;
}

function hintOf(now: Call, state: string): string {
  if (state === "hold") return t("seat.on_hold", { t: span(secondsSince(now.answered_at)) });
  const wait = t("seat.wait_so_far", {
    t: span(secondsSince(now.queued_at ?? now.arrived_at) - (now.answered_at ? secondsSince(now.answered_at) : 0)),
  });
  const next = me?.next_state ? ` · ${t("next_state", { state: t(`state.${me.next_state}`) })}` : "";
  return state === "ringing" ? wait : `${wait} · ${t("seat.answered_at", { t: clock(now.answered_at) })}${next}`;
}

function drawIdle(state: string): void {
  put(el("number-name"), "");
  put(el("number-digits"), "");
  put(el("way"), "");
  const kind = state === "ringing" ? "ready" : state;
  const held = state === "no_answer" ? heldBack(me?.reason) : null;
  put(el("caller"), held?.why ?? t(`seat.idle_${kind}`));
  const noPhone = state === "ready" && me?.phone === null;
  const next = state === "wrap_up" && me?.next_state ? ` · ${t("next_state", { state: t(`state.${me.next_state}`) })}` : "";
  const limited = state === "ready" && me?.limited_until ? t("seat.limited", { t: clock(me.limited_until) }) : "";
  const usual = held?.hint ?? t(`seat.idle_${kind}_hint`);
  put(el("hint"), noPhone ? t("seat.no_phone_for_ready") : limited || usual + next);
}

/** Why calls are held back, and what to do about it; null for a reason that nobody foresaw. */
function heldBack(reason: string | null | undefined): { why: string; hint: string } | null {
  const why = page.texts[`seat.no_answer_why.${reason ?? ""}`];
  if (!why) return null;
  const person = reason === "no_answer" || reason === "refused";
  return { why, hint: t(`seat.no_answer_hint.${person ? "person" : "phone"}`) };
}

function drawActions(ringing: boolean, talking: boolean, calling: boolean, state: string): void {
  const atDesk = me?.phone === "desk" || phone.kind === "desk";
  show(el("ring-actions"), ringing);
  show(el("answer"), !atDesk);
  show(el("pick-up"), atDesk);
  put(el("pick-up"), t("seat.pick_up"));
  el<HTMLButtonElement>("answer").disabled = !phone.ringing;
  put(el("answer-word"), t(callback?.state === "ringing" ? "seat.answer_and_call" : "seat.answer"));
  show(el("back-actions"), state === "no_answer");
  show(el("talk-actions"), talking || calling);
  show(el("hold"), !calling);
  show(el("recording"), state === "talking" && !calling);
  put(el("recording-word"), t("seat.recording"));
  el("hold").setAttribute("aria-pressed", String(state === "hold"));
  put(el("hold-word"), t(state === "hold" ? "seat.resume" : "seat.hold"));
  show(el("mute"), !atDesk && !calling);
  el("mute").setAttribute("aria-pressed", String(phone.muted));
  put(el("mute-word"), t(phone.muted ? "seat.unmute" : "seat.mute"));
}

function tick(): void {
  // A conversation counts from its answer, holds or not; a hold from its own beginning: so long the citizen waits.
  const since = me?.state === "talking" ? (call?.answered_at ?? me.since) : me?.since;
  const text = me && me.state !== "off" ? span(secondsSince(since)) : "";
  put(el("state-timer"), text);
  put(el("now-timer"), me !== null && ["ringing", "talking", "hold"].includes(me.state) ? text : "");
  const called = me?.state === "ringing" || me?.state === "talking" ? callback : null;
  if (called && ["ringing", "calling"].includes(called.state)) put(el("hint"), callbackHint(called, called.state === "ringing"));
  else if (call && me && ["ringing", "hold"].includes(me.state)) put(el("hint"), hintOf(call, me.state));
  const wait = secondsSince(waitingSince);
  put(el("waiting-longest"), span(waitingSince ? wait : 0));
  el("waiting-longest-box").classList.toggle("late", waitingSince !== null && wait > LATE_S);
  wrapUp.tick();
}

// -- what the operator does

async function tell(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    say(error instanceof ApiError || error instanceof Error ? error.message : String(error), "error");
    return false;
  }
}

async function setState(state: string, reason?: string): Promise<void> {
  el<HTMLDetailsElement>("break-menu").open = false;
  if (state === "ready" && !(await phone.prepare())) return;
  await tell(() => post(`${path}/state`, reason ? { state, reason } : { state }));
}

async function answer(): Promise<void> {
  if (!phone.ringing) return;
  await tell(() => phone.answer());
}

async function hold(): Promise<void> {
  const now = call;
  if (!now || !me || !["talking", "hold"].includes(me.state)) return;
  await tell(() => post(`/calls/${now.id}/${me?.state === "hold" ? "resume" : "hold"}`, {}));
}

async function hangUp(): Promise<void> {
  const now = call;
  disarm();
  if (now) await tell(() => post(`/calls/${now.id}/hangup`, {}));
}

/** By key it takes two presses: no key alone ends a conversation. */
function hangUpByKey(): void {
  if (!me || !["talking", "hold"].includes(me.state)) return;
  if (armed) {
    void hangUp();
    return;
  }
  put(el("hangup-word"), t("seat.hangup_again"));
  el("hangup").classList.add("armed");
  armed = window.setTimeout(disarm, ARMED_MS);
}

function disarm(): void {
  window.clearTimeout(armed);
  armed = 0;
  el("hangup").classList.remove("armed");
  put(el("hangup-word"), t("seat.hangup"));
}

for (const id of ["set-ready", "back-ready"]) el(id).addEventListener("click", () => void setState("ready"));
el("set-training").addEventListener("click", () => void setState("training"));
el("set-off").addEventListener("click", () => void setState("off"));
document.querySelectorAll<HTMLElement>("[data-break]").forEach((button) => {
  button.addEventListener("click", () => void setState("break", button.dataset.break));
});
el("answer").addEventListener("click", () => void answer());
el("refuse").addEventListener("click", () => void tell(() => post(`${path}/refuse`, {})));
el("hold").addEventListener("click", () => void hold());
el("mute").addEventListener("click", () => phone.toggleMute());
el("hangup").addEventListener("click", () => void hangUp());

const KEYS: Record<string, () => void> = {
  F2: () => void answer(),
  F3: () => void hold(),
  F6: () => void wrapUp.done("ready"),
  F8: hangUpByKey,
};
document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  if (!event.repeat) action();
});

everySecond(tick);
void phone.begin(() => get<{ user: string; secret: string; domain: string }>("/session/phone"));
