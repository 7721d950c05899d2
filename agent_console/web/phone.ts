// A telephone in the page: JsSIP over our own origin's /sip, one conversation at a time.

import JsSIP from "jssip";
import type { AnswerOptions, RTCSession } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent, RTCSessionEvent, UA as UserAgent, UnRegisteredEvent } from "jssip/lib/UA";

import { KeptSocket } from "./kept_socket";
import { Mending } from "./mending";

export interface Setup {
  user: string;
  secret: string;
  domain: string;
}

export type Registration = "registering" | "registered" | "failed";

/** How the phone stands with the network: `line` the signalling is away, `sound` the conversation's sound is. */
export type Trouble = "line" | "sound" | null;

const GATHER_MS = 30;
const RESUME_HEADER = "X-Daihyo-Resume";

/** Callbacks of a phone; `changed` after every change of `registration` or `session`. */
export interface PhoneEvents {
  changed(): void;
  /** An invitation that gives a running conversation back to this page; answered by the phone itself. */
  resumed?(): void;
  /** Whether this phone is in a conversation as far as the centre knows; true when it is not known. */
  inTalk?(): boolean;
  /** A conversation or an attempt has ended. `cause` is JsSIP's word. */
  ended?(cause: string): void;
}

export class BrowserPhone {
  registration: Registration = "registering";
  why = "";
  session: RTCSession | null = null;
  private readonly agent: UserAgent;
  private readonly socket: KeptSocket;
  private mending: Mending | null = null;
  private lineAway = false;

  constructor(
    private readonly setup: Setup,
    private readonly audio: HTMLAudioElement,
    private readonly mic: () => Promise<MediaStream>,
    private readonly events: PhoneEvents,
  ) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new KeptSocket(`${scheme}://${location.host}/sip`);
    this.socket.onoutage = () => this.outage();
    this.socket.onresume = () => this.agent.register();
    this.agent = new JsSIP.UA({
      sockets: [this.socket],
      uri: `sip:${setup.user}@${setup.domain}`,
      authorization_user: setup.user,
      password: setup.secret,
      register_expires: 120,
      session_timers: true,
      user_agent: "Daihyo",
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 4,
    });
    this.agent.on("registered", () => this.registered());
    this.agent.on("unregistered", () => this.set("registering"));
    this.agent.on("registrationFailed", (event: UnRegisteredEvent) => this.set("failed", String(event.cause ?? "")));
    this.agent.on("newRTCSession", (event: RTCSessionEvent) => this.arrived(event as IncomingRTCSessionEvent));
  }

  start(): void {
    this.agent.start();
  }

  /** Unregisters and ends. */
  stop(): void {
    this.agent.stop();
  }

  get ringing(): boolean {
    return this.session !== null && this.session.direction === "incoming" && !this.session.isEstablished();
  }

  get talking(): boolean {
    return this.session?.isEstablished() ?? false;
  }

  get muted(): boolean {
    return this.session?.isMuted().audio ?? false;
  }

  get trouble(): Trouble {
    return this.talking && this.mending?.broken ? "sound" : this.lineAway ? "line" : null;
  }

  /** The running conversation's connection, for its figures. */
  get connection(): RTCPeerConnection | null {
    return this.talking ? (this.session?.connection ?? null) : null;
  }

  /** Speaks through another microphone from now on, in the running conversation too; the former is let go. */
  async speakThrough(stream: MediaStream): Promise<void> {
    const [track] = stream.getAudioTracks();
    const sender = this.session?.connection?.getSenders().find((one) => one.track?.kind === "audio");
    if (!track || !sender || sender.track === track) return;
    const former = sender.track;
    track.enabled = !this.muted;
    await sender.replaceTrack(track);
    former?.stop();
  }

  /** Answers what rings. Throws MicError when there is no microphone. */
  async answer(): Promise<void> {
    const session = this.session;
    if (!session || !this.ringing) return;
    const stream = await this.mic();
    if (this.session === session && this.ringing) session.answer(this.media(stream));
  }

  /** Calls a number of the centre. */
  async call(number: string): Promise<void> {
    const stream = await this.mic();
    this.agent.call(`sip:${number}@${this.setup.domain}`, this.media(stream));
  }

  /** Ends the session here. A seat asks the engine instead; this is for the citizen and for what is left over. */
  end(): void {
    try {
      this.session?.terminate();
    } catch {
      this.session = null; // it was ending already
    }
  }

  mute(on: boolean): void {
    if (on) this.session?.mute({ audio: true });
    else this.session?.unmute({ audio: true });
    this.events.changed();
  }

  digits(tones: string): void {
    // RFC 4733 in the sound's own stream: what telephones send.
    this.session?.sendDTMF(tones, { transportType: "RFC2833" as never });
  }

  private media(stream: MediaStream): AnswerOptions {
    return { mediaStream: stream, pcConfig: { iceServers: [] } };
  }

  private arrived(event: IncomingRTCSessionEvent): void {
    const session = event.session;
    if (this.session && !this.session.isEnded()) {
      const given = session.direction === "incoming" && event.request.getHeader(RESUME_HEADER) === "1";
      if (given || this.mending?.broken || this.events.inTalk?.() === false) {
        // The conversation is given back, or was taken away while we could not hear of it: what we hold is stale.
        const stale = this.session;
        this.session = null;
        stale.terminate();
      } else {
        session.terminate({ status_code: 486 });
        return;
      }
    }
    this.session = session;
    let gathering = 0;
    session.on("icecandidate", ({ ready }: { ready: () => void }) => {
      // Host candidates come at once and are all we need; waiting for the rest may take half a minute.
      window.clearTimeout(gathering);
      gathering = window.setTimeout(ready, GATHER_MS);
    });
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => {
      this.connected(session, peerconnection);
    });
    if (session.direction === "outgoing" && session.connection) this.connected(session, session.connection);
    for (const name of ["progress", "accepted", "confirmed"] as const) session.on(name, () => this.events.changed());
    const over = ({ cause }: { cause: string }) => {
      if (this.session !== session) return;
      this.session = null;
      this.audio.srcObject = null;
      this.events.ended?.(cause);
      this.events.changed();
    };
    session.on("ended", over);
    session.on("failed", over);
    if (session.direction === "incoming" && event.request.getHeader(RESUME_HEADER) === "1") {
      this.answer().then(
        () => this.events.resumed?.(),
        () => session.terminate({ status_code: 480 }),
      );
    }
    this.events.changed();
  }

  private connected(session: RTCSession, connection: RTCPeerConnection): void {
    connection.addEventListener("track", (track) => this.hear(track));
    const line = {
      ready: () => this.socket.open && this.registration === "registered",
      doubt: () => this.socket.check(),
    };
    this.mending = new Mending(session, connection, line, () => this.events.changed());
  }

  private hear(event: RTCTrackEvent): void {
    this.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
    void this.audio.play().catch(() => undefined);
  }

  private outage(): void {
    this.lineAway = true;
    // Tells JsSIP's registrar only, so that it registers anew; transactions and sessions are left in peace.
    (this.agent.registrator() as unknown as { onTransportClosed(): void }).onTransportClosed();
  }

  private registered(): void {
    this.lineAway = false;
    this.set("registered");
    const session = this.session;
    if (!session?.isEstablished()) return;
    // Asterisk sends within the conversation to the connection it last heard from: it must hear from this one.
    const inner = session as unknown as { sendRequest(method: string, options: object): void };
    const contact = this.agent.contact.toString();
    inner.sendRequest("UPDATE", { extraHeaders: [`Contact: ${contact}`] });
  }

  private set(registration: Registration, why = ""): void {
    this.registration = registration;
    this.why = why;
    this.events.changed();
  }
}
