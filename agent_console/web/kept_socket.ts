// The browser phone's SIP WebSocket, kept through short outages.
//
// JsSIP takes a lost socket for the end of everything that is under way: its transactions fail, and a session with
// one running ends. When only the console restarts, Asterisk and the sound between it and this browser go on. So a
// loss is not told to JsSIP for a while: we connect again, send what was waiting, and let it register anew.
// A line that is dead without having been closed is found by RFC 5626's keep-alive (CRLF CRLF, answered by CRLF).

import { Pulse } from "./pulse";

type Data = string | ArrayBufferLike | Blob | ArrayBufferView;

const GRACE_MS = 25_000; // under the 32 s in which a SIP transaction times out
const RETRY_MS = [100, 250, 500, 1000, 2000];
const WAITING_MAX = 200;
const CONNECT_MS = 4000; // a network that swallows everything lets a connection hang
const PING = "\r\n\r\n";
const PONG = "\r\n";

export class KeptSocket {
  via_transport: string;
  readonly sip_uri: string;
  onconnect: () => void = () => undefined;
  ondisconnect: (error: boolean, code?: number, reason?: string) => void = () => undefined;
  ondata: (data: unknown) => void = () => undefined;
  /** The line is lost but kept. */
  onoutage: () => void = () => undefined;
  /** It is back. */
  onresume: () => void = () => undefined;

  private socket: WebSocket | null = null;
  private up = false; // as JsSIP believes
  private lostAt: number | null = null;
  private tries = 0;
  private waiting: Data[] = [];
  private timer = 0;
  private readonly pulse = new Pulse(
    () => this.socket?.readyState === WebSocket.OPEN && this.socket.send(PING),
    () => this.dead(),
  );

  constructor(readonly url: string) {
    const parsed = new URL(url);
    this.via_transport = parsed.protocol === "wss:" ? "WSS" : "WS";
    this.sip_uri = `sip:${parsed.host};transport=ws`;
  }

  connect(): void {
    if (this.up || this.isConnecting()) return;
    this.connectNow();
  }

  disconnect(): void {
    window.clearTimeout(this.timer);
    this.pulse.stop();
    this.up = false;
    this.lostAt = null;
    this.waiting = [];
    this.drop();
  }

  send(message: Data): boolean {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(message as string);
      return true;
    }
    if (!this.up || this.waiting.length >= WAITING_MAX) return false;
    this.waiting.push(message);
    return true;
  }

  /** Whether what is sent now leaves at once and, as far as we know, arrives. */
  get open(): boolean {
    return this.socket?.readyState === WebSocket.OPEN && !this.pulse.asking;
  }

  /** There is doubt whether the line is alive: asks. */
  check(): void {
    this.pulse.soon();
  }

  isConnected(): boolean {
    return this.up;
  }

  isConnecting(): boolean {
    return !this.up && this.socket?.readyState === WebSocket.CONNECTING;
  }

  private connectNow(): void {
    this.drop();
    const socket = new WebSocket(this.url, "sip");
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onclose = (event) => this.closed(event);
    socket.onmessage = (event: MessageEvent) => {
      this.pulse.heard();
      if (event.data !== PONG) this.ondata(event.data);
    };
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.dead(), CONNECT_MS);
  }

  /** Neither closed nor answering: given up by us. */
  private dead(): void {
    this.drop();
    this.closed(new CloseEvent("close", { wasClean: false, code: 1006 }));
  }

  private opened(): void {
    window.clearTimeout(this.timer);
    this.pulse.start();
    this.tries = 0;
    this.lostAt = null;
    if (!this.up) {
      this.up = true;
      this.onconnect();
      return;
    }
    const waiting = this.waiting;
    this.waiting = [];
    this.onresume(); // first register: Asterisk must know the new connection before anything else arrives on it
    waiting.forEach((message) => this.send(message));
  }

  private closed(event: CloseEvent): void {
    window.clearTimeout(this.timer);
    this.pulse.stop();
    this.socket = null;
    if (!this.up) {
      this.ondisconnect(!event.wasClean, event.code, event.reason);
      return;
    }
    if (this.lostAt === null) {
      this.lostAt = Date.now();
      this.onoutage();
    }
    if (Date.now() - this.lostAt > GRACE_MS) {
      this.up = false;
      this.lostAt = null;
      this.waiting = [];
      this.ondisconnect(true, event.code, event.reason);
      return;
    }
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)] ?? 2000;
    this.tries += 1;
    this.timer = window.setTimeout(() => this.connectNow(), wait);
  }

  private drop(): void {
    this.pulse.stop();
    const socket = this.socket;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
    this.socket = null;
  }
}
