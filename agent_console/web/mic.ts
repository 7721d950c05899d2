// The microphone: asked for once, kept for the calls of this page, and its refusals explained.

import { t } from "./page";

export class MicError extends Error {}

let kept: MediaStream | null = null;

/** The microphone's stream; asks for permission if need be. Throws MicError with a sentence for people. */
export async function microphone(): Promise<MediaStream> {
  if (kept?.getAudioTracks().some((track) => track.readyState === "live")) return kept;
  if (!navigator.mediaDevices) throw new MicError(t("mic.insecure"));
  try {
    kept = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      video: false,
    });
    return kept;
  } catch (error) {
    throw new MicError(explain(error));
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

/** Shows how loud the microphone is, 0…1, until the returned function is called. */
export function watchLevel(stream: MediaStream, show: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = window.setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    show(Math.min(1, Math.sqrt(power) * 4));
  }, 80);
  return () => {
    window.clearInterval(timer);
    show(0);
    void context.close();
  };
}
