// How a caller came: the menu's choices, the language, the line that was diverted to us.

import type { Call } from "./live";
import { page, t } from "./page";

/** "案内 → くらし → ごみ", "英語", "市民課直通から転送": what the operator should know before answering. */
export function wayOf(call: Call): string[] {
  const parts: string[] = [];
  if (call.path?.length) parts.push(t("way", { path: call.path.join(" → ") }));
  const language = languageOf(call.language);
  if (language) parts.push(language);
  if (call.diverted_name) parts.push(t("diverted", { name: call.diverted_name }));
  return parts;
}

/** A language other than the city's own; empty for that. */
export function languageOf(language: string | null | undefined): string {
  return language && language !== page.site_language ? t(`language.${language}`) : "";
}
