// What the board gets beside operators and calls: figures by number and queue, alarms, the day's curve.

import type { Call, Figures, Help, KpiFigures, Operator, Update } from "./live";

/** How many more calls may miss a target: `left` (null: any number), or `needed` to be at it again (null: never). */
export interface Left {
  left: number | null;
  needed: number | null;
}

export interface BoardKpi extends KpiFigures {
  misses?: { within: Left; answer: Left };
}

export interface BoardFigures extends Omit<Figures, "total" | "numbers"> {
  total: BoardKpi;
  numbers: (BoardKpi & { number: string; name: string })[];
  queues?: (BoardKpi & { id: string; name: string })[];
}

/** An alarm as the console tells it; `id` null: not stored yet. */
export interface Alarm {
  id: number | null;
  kind: string;
  subject: string;
  subject_name: string;
  value: string;
  threshold: string;
  at: string;
  over_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  mailed_at: string | null;
  mail_problem: string | null;
}

/** [arrived, answered, abandoned] of each half-hour from `start` (midnight) on. */
export interface Curves {
  minutes: number;
  start: string;
  total: number[][];
  numbers: Record<string, number[][]>;
  queues: Record<string, number[][]>;
}

export interface BoardUpdate extends Omit<Update, "kpi"> {
  kpi?: BoardFigures | null;
  all_helps?: Help[];
  alarms?: Alarm[];
  trend?: Curves | null;
  phone_page?: "seat" | "board" | null; // which page has this supervisor's phone
}

/** What the plan and the rights say about this board. */
export interface BoardSetup {
  supervises: boolean; // may listen, join, take calls
  sets_states: boolean;
  sees_alarms: boolean;
  has_phone: boolean; // signed in with an operator number
  people: Record<string, string>; // names by login and by operator
  late_s: number;
}

export type Operators = Map<string, Operator>;
export type Calls = Map<string, Call>;

/** What is shown: the centre, one number or one queue. */
export interface Scope {
  kind: "all" | "number" | "queue";
  id: string;
}

export function inScope(scope: Scope, call: Call): boolean {
  if (scope.kind === "queue") return call.queue === scope.id;
  if (scope.kind === "number") return call.number_text === scope.id || call.number === scope.id;
  return true;
}

export const serves = (scope: Scope, operator: Operator): boolean =>
  scope.kind !== "queue" || operator.queues.includes(scope.id);
