// The operator's seat: what the live line says is drawn, what the operator does is asked of the engine. The call's
// face stands in seat_view, everything else in a file of its own.

import { ApiError, get, post } from "./api";
import { Armed } from "./armed";
import { keysListen } from "./keys";
import { LiveLine, type Call, type Callback, type Help, type Operator, type Target, type Update } from "./live";
import { OwnCalls } from "./own_calls";
import { el, page, put, say, show, t } from "./page";
import { Alarm } from "./seat_alarm";
import { Dialling, Pad } from "./seat_dial";
import { Find, type How } from "./seat_find";
import { HelpDesk } from "./seat_help";
import { History } from "./seat_history";
import { Notices } from "./seat_notices";
import { Partner } from "./seat_partner";
import { SeatPhone } from "./seat_phone";
import { draw as drawFace, drawHint, phaseOf, type Now, type Phase } from "./seat_view";
import { drawState } from "./states";
import { Tabs } from "./tabs";
import { everySecond, secondsSince, span } from "./time";
import { WrapUp } from "./wrap_up";

const LATE_S = 20;
// The engine may have ended a conversation while this page could not hear of it.
const LEFT_OVER_MS = 3000;

const operator = page.operator ?? "";
const path = `/operators/${encodeURIComponent(operator)}`;

let me: Operator | null = null;
let call: Call | null = null;
let lastCall: Call | null = null;
let callback: Callback | null = null;
let helps: Help[] = [];
let sentOn: { call: string; to: Target } | null = null; // given away blindly, by this page
let waitingSince: string | null = null;
let leftOver = 0;

const tabs = new Tabs(el("about-tabs"));
const phone = new SeatPhone(() => draw(), () => announceSeat());
const wrapUp = new WrapUp(path);
const own = new OwnCalls(operator);
const notices = new Notices();
const partner = new Partner((verb) => void tell(() => act(verb)));
const dialling = new Dialling(path);
const history = new History(
  (one) => void dialling.callBack(one.id),
  () => tabs.open("tab-history"),
);
const find = new Find(transfer);
const pad = new Pad(async (digits) => void (await tell(() => act("dtmf", { digits }))));
const help = new HelpDesk(path, () => tabs.open("tab-help"), () => call?.id ?? null);
const alarm = new Alarm(
  (mark, on) => void tell(() => act("mark", { mark, on })),
  () => void tell(() => act("end-politely")),
);
const hanging = new Armed("hangup", "hangup-word", "seat.hangup_again", () => void tell(() => act("hangup")), "key");
const refusing = new Armed("refuse", "refuse-word", "seat.refuse_again", () => void refuse(), "key");
const line = new LiveLine(take, () => announceSeat());

/** Tells the engine, through the console, that this page is the seat, and whether it holds the conversation. */
function announceSeat(): void {
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
  if (update.call !== undefined) {
    if (update.call?.id !== call?.id) [hanging, refusing].forEach((one) => one.disarm());
    call = update.call;
  }
  if (update.callback !== undefined) callback = update.callback;
  if (update.helps !== undefined) helps = update.helps;
  if (call && (call.phase === "hold" || call.answered_at)) lastCall = call;
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

// -- what is shown

const phase = (): Phase => (me ? phaseOf(me, call, callback) : "idle");
const now = (): Now | null => (me ? { me, call, callback, phase: phase(), sentOn } : null);

function draw(): void {
  const all = now();
  if (!me || !all) return;
  const state = me.state;
  drawState(el("state"), state, me.reason);
  for (const name of ["ready", "break", "training", "off"]) {
    const button = el(`set-${name}`);
    button.setAttribute("aria-pressed", String(state === name));
    button.classList.toggle("next", me.next_state === name && state !== name);
  }
  const face = all.phase;
  const talking = face === "talking" || face === "hold";
  drawState(el("now"), face === "calling" ? "calling" : state);
  el("current").dataset.phase = face;
  drawFace(all);
  show(el("callback-mark"), callback !== null && face !== "idle");
  show(el("outbound-mark"), call?.via === "outbound" && face !== "idle");
  drawActions(face, state);
  const talk = talking ? call : null;
  partner.draw(talk);
  notices.draw(face === "idle" ? null : call, helps);
  alarm.draw(talk);
  pad.follow(talking);
  help.draw(helps);
  find.follow(whyNoTransfer(talk));
  const free = face === "idle" && state !== "no_answer" && !me.own_call;
  dialling.follow(free, state === "wrap_up" ? (me.last_call ?? null) : null);
  history.follow(face === "idle" ? (state === "wrap_up" ? lastCall : null) : (call ?? callback), free);
  phone.ring(face === "ringing" && phone.kind === "browser");
  wrapUp.follow(me, talking ? call : lastCall, talking);
  tick();
}

/** Why no call can be given away now; empty when one can. */
function whyNoTransfer(talk: Call | null): string {
  if (!talk) return t("find.why_no_call");
  if (talk.transfer) return t("find.why_under_way");
  return "";
}

function drawActions(face: Phase, state: string): void {
  const atDesk = me?.phone === "desk" || phone.kind === "desk";
  const talking = face === "talking" || face === "hold";
  show(el("ring-actions"), face === "ringing");
  show(el("answer"), !atDesk);
  show(el("pick-up"), atDesk);
  put(el("pick-up"), t("seat.pick_up"));
  el<HTMLButtonElement>("answer").disabled = !phone.ringing;
  put(el("answer-word"), t(callback?.state === "ringing" ? "seat.answer_and_call" : "seat.answer"));
  show(el("back-actions"), state === "no_answer");
  show(el("talk-actions"), talking || face === "calling");
  const transfer = call?.transfer ?? null;
  enable("hold", talking && transfer === null);
  enable("transfer", talking && transfer === null);
  enable("mute", talking);
  show(el("recording"), (state === "talking" && face === "talking") || (face === "hold" && transfer !== null));
  put(el("recording-word"), t("seat.recording"));
  el("hold").setAttribute("aria-pressed", String(state === "hold"));
  put(el("hold-word"), t(state === "hold" ? "seat.resume" : "seat.hold"));
  // Hanging up in a transfer leaves the citizen with the other side.
  if (!el("hangup").classList.contains("armed")) put(el("hangup-word"), t(transfer ? "seat.leave" : "seat.hangup"));
  el("mute").setAttribute("aria-pressed", String(muted()));
  put(el("mute-word"), t(muted() ? "seat.unmute" : "seat.mute"));
}

function enable(id: string, may: boolean): void {
  const button = el<HTMLButtonElement>(id);
  if (button.disabled === may) button.disabled = !may;
}

const muted = (): boolean => phone.muted || call?.muted === true;

function tick(): void {
  // A conversation counts from its answer, holds or not; a hold from its own beginning: so long the citizen waits.
  const since = me?.state === "talking" ? (call?.answered_at ?? me.since) : me?.since;
  const text = me && me.state !== "off" ? span(secondsSince(since)) : "";
  put(el("state-timer"), text);
  put(el("now-timer"), phase() === "idle" ? "" : text);
  const all = now();
  if (all) drawHint(all);
  const wait = secondsSince(waitingSince);
  put(el("waiting-longest"), span(waitingSince ? wait : 0));
  el("waiting-longest-box").classList.toggle("late", waitingSince !== null && wait > LATE_S);
  partner.tick();
  alarm.tick();
  if (all) notices.draw(all.phase === "idle" ? null : call, helps);
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

/** Something done to the call in progress; nothing where there is none. */
async function act(verb: string, fields: object = {}): Promise<void> {
  if (call) await post(`/calls/${encodeURIComponent(call.id)}/${verb}`, fields);
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

const refuse = (): Promise<boolean> => tell(() => post(`${path}/refuse`, {}));

/** F3: music for the citizen; while a transfer is under way: the other of the two. */
async function hold(): Promise<void> {
  if (!call || !me || !["talking", "hold"].includes(me.state)) return;
  if (call.transfer) pressed("swap");
  else await tell(() => act(me?.state === "hold" ? "resume" : "hold"));
}

/** The browser is silent at once, whoever can be reached; the engine then knows it too, also for a desk phone. */
async function mute(): Promise<void> {
  if (!call || el<HTMLButtonElement>("mute").disabled) return;
  const on = !muted();
  const known = call.muted !== undefined;
  if (phone.kind === "browser" && phone.muted !== on) phone.toggleMute();
  draw();
  if (known) await tell(() => act(on ? "mute" : "unmute"));
}

async function transfer(how: How, to: Target): Promise<void> {
  const given = call?.id ?? "";
  await act(how, { to });
  if (how === "blind") sentOn = { call: given, to };
  draw();
}

/** F4: to the search for whom to give the call to. */
function toFind(): void {
  find.focus();
}

function pressed(id: string): void {
  const button = el<HTMLButtonElement>(id);
  if (!button.disabled && button.offsetParent !== null) button.click();
}

/** F8 by hand takes one press, by key two: no key alone ends a conversation. */
function hangUpByKey(): void {
  if (phase() === "ringing") refusing.press();
  else hanging.press();
}

for (const id of ["set-ready", "back-ready"]) el(id).addEventListener("click", () => void setState("ready"));
el("set-training").addEventListener("click", () => void setState("training"));
el("set-off").addEventListener("click", () => void setState("off"));
document.querySelectorAll<HTMLElement>("[data-break]").forEach((button) => {
  button.addEventListener("click", () => void setState("break", button.dataset.break));
});
el("answer").addEventListener("click", () => void answer());
el("refuse").addEventListener("click", () => void refuse());
el("hold").addEventListener("click", () => void hold());
el("mute").addEventListener("click", () => void mute());
el("transfer").addEventListener("click", toFind);
el("hangup").addEventListener("click", () => {
  hanging.disarm();
  void tell(() => act("hangup"));
});

/** F1: to the states; arrows go on from there. */
const STATES = ["set-ready", "set-break", "set-training", "set-off"];
function toStates(): void {
  el("set-ready").focus();
}
el("states").addEventListener("keydown", (event) => {
  const at = STATES.indexOf((event.target as HTMLElement).id);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (at < 0 || step === undefined) return;
  event.preventDefault();
  el(STATES[(at + step + STATES.length) % STATES.length] ?? "set-ready").focus();
});

keysListen(
  {
    F1: toStates,
    F2: () => void answer(),
    F3: () => void hold(),
    F4: toFind,
    F6: () => void wrapUp.done("ready"),
    F7: () => void mute(),
    F8: hangUpByKey,
    F9: () => pressed("complete"),
    F10: () => pressed("give-back"),
    "Shift+F2": () => help.raise(),
    "Shift+F3": () => alarm.harassment(),
    "Shift+F4": () => dialling.focus(),
    "Shift+F6": () => wrapUp.focus(),
    "Shift+F7": () => pad.toggle(),
    "Shift+F8": () => alarm.emergency(),
    "Shift+F9": () => pressed("three-way"),
  },
  toFind,
);

everySecond(tick);
void phone.begin(() => get<{ user: string; secret: string; domain: string }>("/session/phone"));
