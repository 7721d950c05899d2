// The microphone: asked for once, kept for the calls of this page, and its refusals explained.

import { t } from "./page";

export class MicError extends Error {}

let kept: MediaStream | null = null;
let wanted = "";
let gone: () => void = () => undefined;

const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Which microphone is taken from now on: a device id, "" for the system's own. `lost` is called when one that is
 * in use goes away. The stream at hand is given back: `microphone` takes the other. */
export function useMicrophone(id: string, lost: () => void): void {
  gone = lost;
  if (id === wanted) return;
  wanted = id;
  kept = null; // not stopped: a call may still speak into it until the other is there
}

/** The microphone's stream; asks for permission if need be. Throws MicError with a sentence for people. */
export async function microphone(): Promise<MediaStream> {
  if (kept?.getAudioTracks().some((track) => track.readyState === "live")) return kept;
  if (!navigator.mediaDevices) throw new MicError(t("mic.insecure"));
  try {
    kept = await taken(wanted);
    kept.getAudioTracks().forEach((track) => track.addEventListener("ended", () => gone()));
    return kept;
  } catch (error) {
    throw new MicError(explain(error));
  }
}

async function taken(id: string): Promise<MediaStream> {
  const ask = (device: MediaTrackConstraints) =>
    navigator.mediaDevices.getUserMedia({ audio: { ...CONSTRAINTS, ...device }, video: false });
  if (!id) return ask({});
  try {
    return await ask({ deviceId: { exact: id } });
  } catch (error) {
    // The one that was chosen is away or refuses: better another voice path than none.
    if (error instanceof DOMException && ["NotFoundError", "OverconstrainedError"].includes(error.name)) return ask({});
    throw error;
  }
}

/** True when permission was given before: then the page may take the microphone without asking. */
export async function alreadyAllowed(): Promise<boolean> {
  try {
    const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
    return status.state === "granted";
  } catch {
    return false;
  }
}

function explain(error: unknown): string {
  const name = error instanceof DOMException ? error.name : String(error);
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return t("mic.denied");
    case "NotFoundError":
    case "OverconstrainedError":
      return t("mic.missing");
    case "NotReadableError":
    case "AbortError":
      return t("mic.busy");
    default:
      return t("mic.other", { why: name });
  }
}

/** Shows how loud the microphone is, 0…1, until the returned function is called. A muted one is silent. */
export function watchLevel(stream: MediaStream, show: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let level = 0;
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    // Up at once, down slowly: what was said can be read.
    level = Math.max(Math.min(1, Math.sqrt(power) * 4), level * 0.85);
    show(level < 0.005 ? 0 : level);
  }, 100);
  return () => {
    window.clearInterval(timer);
    show(0);
    void context.close();
  };
}
