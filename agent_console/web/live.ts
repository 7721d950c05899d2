// The page's line to the live state. It reconnects by itself; while it is away the last state stays, greyed.

import { serverTime } from "./time";
import { el, show } from "./page";
import { Pulse } from "./pulse";

export interface Operator {
  id: string;
  name: string;
  state: string;
  reason: string | null;
  since: string;
  until: string | null;
  phones: { desk: boolean; browser: boolean };
  phone: "browser" | "desk" | null;
  call: string | null;
  queues: string[];
  next_state: string | null;
  tally?: { calls: number; talk_s: number; duty_s: number } | null;
  levels?: Record<string, number>;
  languages?: string[] | null;
  limited_until?: string | null;
  own_call?: boolean;
  supervising?: { call: string; mode: string; ringing?: boolean } | null;
  last_call?: string | null;
}

/** Whom a call is transferred to. */
export interface Target {
  kind: "extension" | "outside" | "operator" | "queue";
  number: string;
  number_text?: string;
  name?: string | null;
  department?: string | null;
  entry?: number | string | null;
}

/** A transfer under way, or done. */
export interface Transfer {
  kind: "consult" | "blind";
  to: Target;
  state: "ringing" | "talking" | "held" | "three_way" | "transferred";
  operator: string | null;
  since: string;
}

/** Somebody who asks for help (手上げ), and what was said. */
export interface Help {
  id: string;
  operator: string;
  call: string | null;
  at: string;
  urgent: boolean;
  state: "open" | "taken";
  by: string | null;
  messages: { at: string; by: string; text: string }[];
}

export interface Call {
  id: string;
  number: string;
  number_text: string;
  number_name: string | null;
  caller: string | null;
  caller_text: string | null;
  phase: string;
  since: string;
  arrived_at: string;
  queued_at: string | null;
  answered_at: string | null;
  queue: string | null;
  operator: string | null;
  position: number | null;
  language?: string | null;
  path?: string[];
  diverted_name?: string | null;
  priority?: number;
  moved_from?: string | null;
  via?: string;
  case?: number | null;
  transfer?: Transfer | null;
  last_transfer?: { to: Target; reason: string; at: string } | null;
  returned?: { to: Target; reason: string; operator: string | null; at: string } | null;
  hops?: number;
  marks?: { mark: string; at: string; by: string }[];
  muted?: boolean;
  supervision?: { supervisor: string; mode: string; since: string }[];
}

/** A callback that is offered to this seat, or whose citizen is being called for it. */
export interface Callback {
  id: string;
  number_text: string;
  state: string;
  queue: string;
  place_since: string;
  tries: number;
  language?: string | null;
  called_text: string | null;
  called_name?: string | null;
  path?: string[];
}

export interface KpiFigures {
  offered: number;
  answered: number;
  abandoned: number;
  lost: number;
  callbacks?: number;
  answer_rate: number | null;
  mean_answer_s: number | null;
  within_rate: number | null;
  answered_within: number;
  formula: { ja: string; en: string };
}

export interface Figures {
  total: KpiFigures;
  numbers: (KpiFigures & { number: string; name: string })[];
  targets: { answer_rate: number; mean_answer_s: number; within_rate: number };
  answer_within_s: number;
  stale: boolean;
}

export interface Update {
  at: string;
  full?: boolean;
  engine?: "connected" | "away";
  switch?: boolean;
  operators?: Operator[];
  calls?: Call[];
  gone?: string[];
  gone_operators?: string[];
  me?: Operator | null;
  call?: Call | null;
  callback?: Callback | null;
  helps?: Help[];
  callbacks?: { count: number; now: number };
  waiting?: { count: number; longest_since: string | null };
  own_today?: { count: number; mean_talk_s: number | null } | null;
  kpi?: Figures | null;
  replaced?: boolean;
}

const SIGNED_OUT = 4401;
const RETRY_MS = [200, 400, 800, 1500, 2500];
const ACTIVE_EVERY_MS = 30_000;
const CONNECT_MS = 4000;

export class LiveLine {
  private socket: WebSocket | null = null;
  private tries = 0;
  private engineAway = false;
  private switchAway = false;
  private lastActive = 0;
  private hanging = 0;
  private stopped = false;
  private readonly pulse = new Pulse(
    () => this.send({ ping: true }),
    () => this.lost(),
  );

  constructor(
    private readonly onUpdate: (update: Update) => void,
    private readonly onOpen: () => void = () => undefined,
  ) {
    for (const event of ["keydown", "pointerdown"]) document.addEventListener(event, () => this.active(), true);
    this.connect();
  }

  /** Sends an object; what cannot be sent now is not kept: `onOpen` says it anew. */
  send(frame: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Ends the line for good. */
  stop(): void {
    this.stopped = true;
    this.pulse.stop();
    this.socket?.close();
  }

  get connected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  private connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/live`);
    this.socket = socket;
    this.hanging = window.setTimeout(() => this.lost(), CONNECT_MS);
    socket.onopen = () => {
      window.clearTimeout(this.hanging);
      this.tries = 0;
      this.pulse.start();
      this.banner();
      this.onOpen();
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      this.pulse.heard();
      const update = JSON.parse(message.data) as Update;
      serverTime(update.at);
      if (update.engine !== undefined) this.engineAway = update.engine === "away";
      if (update.switch !== undefined) this.switchAway = !update.switch;
      this.banner();
      this.onUpdate(update);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket || this.stopped) return; // given up already
      window.clearTimeout(this.hanging);
      this.pulse.stop();
      this.socket = null;
      if (event.code === SIGNED_OUT) {
        location.assign(`/signin?why=expired&next=${encodeURIComponent(location.pathname)}`);
        return;
      }
      this.banner();
      const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)] ?? 2500;
      this.tries += 1;
      // A refused handshake tells a page nothing: after some tries ask whether we are still signed in.
      if (this.tries === 3) void this.checkSession();
      window.setTimeout(() => this.connect(), wait * (0.8 + Math.random() * 0.4));
    };
  }

  /** Neither closed nor answering: the network is another one, or swallows everything. */
  private lost(): void {
    const socket = this.socket;
    if (!socket || this.stopped) return;
    socket.close();
    socket.onclose?.(new CloseEvent("close", { wasClean: false, code: 1006 }));
  }

  private async checkSession(): Promise<void> {
    const answer = await fetch("/api/v1/session").catch(() => null);
    if (answer?.status === 401) location.assign(`/signin?why=expired&next=${encodeURIComponent(location.pathname)}`);
  }

  private active(): void {
    const now = Date.now();
    if (now - this.lastActive < ACTIVE_EVERY_MS) return;
    this.lastActive = now;
    this.send({ active: true });
  }

  private banner(): void {
    const away = !this.connected ? "live" : this.engineAway ? "engine" : this.switchAway ? "switch" : "";
    document.body.dataset.away = away;
    for (const kind of ["live", "engine", "switch"]) show(el(`away-${kind}`), away === kind);
  }
}
