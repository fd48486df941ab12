// What the relay says, checked before anything is done with it: a frame that does not fit its type is
// as if it had not come. A delivery that is left out leaves a hole, which the next one reveals and a
// fresh snapshot heals. Types, kinds and fields this version does not know are let through: a later
// relay may say them.

import type { VisitorFrame } from "./protocol";

type Fields = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => Number.isSafeInteger(value);

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shape(fields: Record<string, Check>): Check {
  const checks = Object.entries(fields);
  return (value) => isFields(value) && checks.every(([name, check]) => check(value[name]));
}

function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** It may be left out, or null. */
function maybe(check: Check): Check {
  return (value) => value === undefined || value === null || check(value);
}

/** One of several shapes, told by this field; one that is not known is let through. */
function oneOf(field: string, shapes: Map<unknown, Check>): Check {
  return (value) => {
    if (!isFields(value) || !isText(value[field])) return false;
    return shapes.get(value[field])?.(value) ?? true;
  };
}

const AGENT = shape({ id: isText, nickname: isText });
const MARKS = shape({ delivered: isNumber, read: isNumber });
const PROMPTS: Check = (value) => isFields(value) && Object.values(value).every(isText);
const SITE = shape({
  id: isText,
  name: isText,
  welcome: isText,
  preview: isFlag,
  enabled: isFlag,
  prompts: PROMPTS,
  categories: list(isText),
  departments: list(shape({ id: isText, name: isText })),
  agents: list(AGENT),
  begins_on_open: maybe(isFlag),
});
const AUTHOR = oneOf("kind", new Map([["agent", shape({ agent: AGENT })]]));
const NOTICE = oneOf(
  "kind",
  new Map([
    ["welcome", shape({ text: isText })],
    ["agent_joined", shape({ agent: AGENT })],
    ["transferred", shape({ agent: AGENT })],
    ["member_joined", shape({ agent: AGENT })],
    ["member_left", shape({ agent: AGENT })],
    ["requeued", shape({ why: isText })],
    ["auto_reply", shape({ reply: isText, text: isText })],
    ["ended", shape({ by: isText })],
  ]),
);
const CONTENT = oneOf(
  "kind",
  new Map([
    ["text", shape({ text: isText })],
    ["notice", shape({ notice: NOTICE })],
  ]),
);
const MESSAGE = shape({
  conversation_id: isText,
  seq: isNumber,
  client_id: isText,
  author: AUTHOR,
  content: CONTENT,
  at: isNumber,
});
const STATUS = oneOf(
  "kind",
  new Map([
    ["waiting", shape({ reason: isText })],
    ["serving", shape({ agent: AGENT })],
    ["ended", shape({ by: isText, at: isNumber })],
  ]),
);
const CONVERSATION = shape({
  id: isText,
  rev: isNumber,
  status: STATUS,
  agent_marks: MARKS,
  own_marks: MARKS,
  last_seq: isNumber,
  members: list(AGENT),
});
const PAGE = shape({ messages: list(MESSAGE), has_earlier: isFlag });
const SNAPSHOT = shape({
  visitor: shape({ id: isText }),
  site: SITE,
  conversation: maybe(CONVERSATION),
  messages: list(MESSAGE),
  has_earlier: isFlag,
});
const EVENT = oneOf(
  "type",
  new Map([
    ["conversation_started", shape({ position: isNumber, conversation: CONVERSATION })],
    ["status_changed", shape({ position: isNumber, conversation_id: isText, status: STATUS })],
    [
      "members_changed",
      shape({ position: isNumber, conversation_id: isText, members: list(AGENT) }),
    ],
    ["message_appended", shape({ position: isNumber, message: MESSAGE })],
    ["agent_marked", shape({ position: isNumber, conversation_id: isText, marks: MARKS })],
    ["own_marked", shape({ position: isNumber, conversation_id: isText, marks: MARKS })],
    ["agent_changed", shape({ position: isNumber, agent: AGENT })],
    ["site_changed", shape({ position: isNumber, site: SITE })],
  ]),
);
const ERROR = shape({ code: isText, retry_after_ms: maybe(isNumber) });
const OUTCOME = oneOf(
  "kind",
  new Map([
    ["accepted", shape({ conversation_id: isText, seq: isNumber, at: isNumber })],
    ["history", shape({ page: PAGE })],
  ]),
);
const SIGNAL = oneOf(
  "kind",
  new Map([
    [
      "place",
      shape({ conversation_id: isText, place: isNumber, expected_wait_ms: maybe(isNumber) }),
    ],
  ]),
);
const START: Check = (value) =>
  isFields(value) &&
  isNumber(value.position) &&
  (value.mode === "resumed" || (value.mode === "snapshot" && SNAPSHOT(value.snapshot)));
const FRAMES = new Map<unknown, Check>([
  ["welcome", shape({ epoch: isText, now: isNumber, start: START })],
  ["delivery", shape({ after: isNumber, upto: isNumber, events: list(EVENT) })],
  ["reply", shape({ id: isText, ok: maybe(OUTCOME), error: maybe(ERROR) })],
  ["signal", shape({ signal: SIGNAL })],
  ["bye", shape({ error: ERROR })],
]);

/** The frame, or null if it is none. */
export function readFrame(text: string): VisitorFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    const check = isFields(frame) ? FRAMES.get(frame.type) : undefined;
    return check?.(frame) ? (frame as unknown as VisitorFrame) : null;
  } catch {
    return null;
  }
}
