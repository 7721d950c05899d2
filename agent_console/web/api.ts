// Requests to /api/v1: JSON, the CSRF token, and errors as sentences for people.

import { page, t } from "./page";

export class ApiError extends Error {
  constructor(message: string, readonly code: string, readonly status: number) {
    super(message);
  }
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (page.csrf) headers["X-CSRF-Token"] = page.csrf;
  let answer: Response;
  try {
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = JSON.stringify(body);
    answer = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new ApiError(t("error.network"), "network", 0);
  }
  if (answer.status === 401) {
    location.assign(`/signin?why=expired&next=${encodeURIComponent(location.pathname)}`);
  }
  const data = (await answer.json().catch(() => null)) as { detail?: string; code?: string } | null;
  if (!answer.ok) {
    throw new ApiError(data?.detail ?? t("error.network"), data?.code ?? "error", answer.status);
  }
  return data as T;
}

export const get = <T>(path: string): Promise<T> => request<T>("GET", path);
export const post = <T = unknown>(path: string, body: unknown): Promise<T> => request<T>("POST", path, body);
