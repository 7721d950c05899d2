// What stands in the seat's middle: who calls and how they came, or what one is doing when nobody does.

import { announce } from "./announce";
import type { Call, Callback, Operator, Target } from "./live";
import { el, page, put, t } from "./page";
import { targetText } from "./targets";
import { clock, secondsSince, span } from "./time";
import { languageOf, wayOf } from "./way";

export type Phase = "idle" | "ringing" | "calling" | "talking" | "hold";

export interface Now {
  me: Operator;
  call: Call | null;
  callback: Callback | null;
  phase: Phase;
  sentOn: { call: string; to: Target } | null; // the call last given away blindly, and to whom
}

/** Which of the seat's faces is to be shown. */
export function phaseOf(me: Operator, call: Call | null, callback: Callback | null): Phase {
  const offered = callback?.state === "ringing";
  if (me.state === "ringing" && (call !== null || offered)) return "ringing";
  if (me.state === "talking" && (callback?.state === "calling" || call?.phase === "calling")) return "calling";
  if ((me.state === "talking" || me.state === "hold") && call !== null) return me.state;
  return "idle";
}

export function draw(now: Now): void {
  const { me, call, callback, phase } = now;
  const of_callback = callback !== null && (callback.state === "ringing" || callback.state === "calling");
  if (of_callback && (phase === "ringing" || phase === "calling")) drawCallback(callback);
  else if (call && phase !== "idle") drawCall(call);
  else drawIdle(me);
  drawHint(now);
  tell(now);
}

function drawCall(call: Call): void {
  put(el("number-name"), call.number_name ?? call.number_text);
  put(el("number-digits"), call.number_name ? call.number_text : "");
  put(el("caller"), call.caller_text ?? t("withheld"));
  put(el("way"), wayOf(call).join(" · "));
}

/** Whom, which number they had called, how they came: before anybody is called. */
function drawCallback(now: Callback): void {
  put(el("number-name"), t("seat.callback_called", { name: now.called_name ?? "", number: now.called_text ?? "" }).trim());
  if (!now.called_name && !now.called_text) put(el("number-name"), "");
  put(el("number-digits"), "");
  put(el("caller"), now.number_text);
  put(el("way"), [now.path?.length ? t("way", { path: now.path.join(" → ") }) : "", languageOf(now.language)].filter(Boolean).join(" · "));
}

function drawIdle(me: Operator): void {
  put(el("number-name"), "");
  put(el("number-digits"), "");
  put(el("way"), "");
  const held = me.state === "no_answer" ? heldBack(me.reason) : null;
  put(el("caller"), held?.why ?? t(`seat.idle_${idleKind(me)}`));
}

const idleKind = (me: Operator): string => (["ringing", "talking", "hold"].includes(me.state) ? "ready" : me.state);

/** The line of times, drawn anew each second. */
export function drawHint({ me, call, callback, phase, sentOn }: Now): void {
  let text = "";
  if (callback && (phase === "ringing" || phase === "calling") && (!call || callback.state !== "talking")) text = callbackHint(callback, phase === "ringing");
  else if (call && phase === "calling") text = t("seat.dialling");
  else if (call && phase !== "idle") text = callHint(me, call, phase);
  else text = idleHint(me, sentOn);
  put(el("hint"), text);
}

function callHint(me: Operator, call: Call, phase: Phase): string {
  if (phase === "hold") return t("seat.on_hold", { t: span(secondsSince(call.answered_at)) });
  if (call.via === "outbound") return t("seat.we_called", { t: clock(call.answered_at) });
  const wait = t("seat.wait_so_far", {
    t: span(secondsSince(call.queued_at ?? call.arrived_at) - (call.answered_at ? secondsSince(call.answered_at) : 0)),
  });
  const next = me.next_state ? ` · ${t("next_state", { state: t(`state.${me.next_state}`) })}` : "";
  return phase === "ringing" ? wait : `${wait} · ${t("seat.answered_at", { t: clock(call.answered_at) })}${next}`;
}

function callbackHint(now: Callback, offered: boolean): string {
  const since = t("seat.callback_since", { at: clock(now.place_since), t: span(secondsSince(now.place_since)) });
  const tries = now.tries ? t("seat.callback_tries", { n: now.tries }) : t("seat.callback_first_try");
  return `${since} · ${tries}\n${t(offered ? "seat.callback_first" : "seat.callback_calling")}`;
}

function idleHint(me: Operator, sentOn: Now["sentOn"]): string {
  if (me.state === "ready" && me.phone === null) return t("seat.no_phone_for_ready");
  if (me.state === "ready" && me.limited_until) return t("seat.limited", { t: clock(me.limited_until) });
  const held = me.state === "no_answer" ? heldBack(me.reason) : null;
  if (me.state !== "wrap_up") return held?.hint ?? t(`seat.idle_${idleKind(me)}_hint`);
  const next = me.next_state ? ` (${t("next_state", { state: t(`state.${me.next_state}`) })})` : "";
  // A citizen sent on blindly may still be back: no call that is simply over.
  const sent = sentOn !== null && sentOn.call === me.last_call;
  return (sent ? t("seat.idle_wrap_up_blind", { to: targetText(sentOn.to) }) : t("seat.idle_wrap_up_hint")) + next;
}

/** Why calls are held back, and what to do about it; null for a reason that nobody foresaw. */
function heldBack(reason: string | null | undefined): { why: string; hint: string } | null {
  const why = page.texts[`seat.no_answer_why.${reason ?? ""}`];
  if (!why) return null;
  const person = reason === "no_answer" || reason === "refused";
  return { why, hint: t(`seat.no_answer_hint.${person ? "person" : "phone"}`) };
}

/** One sentence for each change of the call's face: who, on which number, by which way. */
function tell({ me, call, callback, phase }: Now): void {
  const id = call?.id ?? callback?.id ?? "";
  if (phase === "idle") {
    announce([t(`state.${me.state}`), me.state === "break" ? (me.reason ?? "") : ""].join(" ").trim(), `idle ${me.since}`);
    return;
  }
  const word = t(`state.${phase}`);
  if (phase === "ringing" || phase === "calling") {
    const who = [el("number-name").textContent, el("caller").textContent, el("way").textContent];
    announce([word, ...who].filter(Boolean).join(" "), `${phase} ${id}`);
  } else announce(word, `${phase} ${id} ${me.since}`);
}
