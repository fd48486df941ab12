// What the loader and the app say to each other by postMessage. Each side checks origin and source
// first, then reads the message here: anything that does not fit exactly is ignored.

/** A page of the company's website, as its visitor sees it. */
export interface HostPage {
  url: string;
  title: string;
}

/** From the host page to the iframe. */
export type ToFrame =
  | {
      type: "init";
      page: HostPage;
      locale: string;
      /** Whether return tickets may be kept, and whether one is. */
      tickets: boolean;
      has_ticket: boolean;
      /** Whether a conversation was open on the last page. */
      is_talking: boolean;
      is_open: boolean;
      is_full_screen: boolean;
    }
  | { type: "shown"; is_open: boolean; is_full_screen: boolean; page: HostPage }
  | { type: "locale"; locale: string }
  | { type: "ticket"; ticket: string };

/** From the iframe to the host page. */
export type ToHost =
  | { type: "ready" }
  | { type: "close" }
  | { type: "ticket_wanted" }
  | { type: "ticket"; ticket: string }
  | { type: "state"; unread: number; is_talking: boolean; locale: string };

/** Marks a message as ours, with the version of this list. */
const MARK = 1;

type Fields = Record<string, unknown>;

/** A message as it crosses. */
export function seal(message: ToFrame | ToHost): unknown {
  return { yingke: MARK, ...message };
}

function fieldsOf(value: unknown): Fields | null {
  if (typeof value !== "object" || value === null) return null;
  const fields = value as Fields;
  return fields.yingke === MARK ? fields : null;
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most;
}

/** Reads what a frame says; null if it is not one of ours. */
export function readToHost(value: unknown): ToHost | null {
  const fields = fieldsOf(value);
  switch (fields?.type) {
    case "ready":
    case "close":
    case "ticket_wanted":
      return { type: fields.type };
    case "ticket":
      return isText(fields.ticket, 512) ? { type: "ticket", ticket: fields.ticket } : null;
    case "state": {
      const { unread, is_talking, locale } = fields;
      const fits = typeof unread === "number" && typeof is_talking === "boolean";
      return fits && isText(locale, 64) ? { type: "state", unread, is_talking, locale } : null;
    }
    default:
      return null;
  }
}

function readPage(value: unknown): HostPage | null {
  if (typeof value !== "object" || value === null) return null;
  const { url, title } = value as Fields;
  return isText(url, 4096) && isText(title, 4096) ? { url, title } : null;
}

/** Reads what a host page says; null if it is not one of ours. */
export function readToFrame(value: unknown): ToFrame | null {
  const fields = fieldsOf(value);
  switch (fields?.type) {
    case "init":
    case "shown": {
      const page = readPage(fields.page);
      const { is_open, is_full_screen, tickets, has_ticket, is_talking, locale } = fields;
      if (!page || typeof is_open !== "boolean" || typeof is_full_screen !== "boolean") return null;
      if (fields.type === "shown") return { type: "shown", is_open, is_full_screen, page };
      if (typeof tickets !== "boolean" || typeof has_ticket !== "boolean") return null;
      if (!isText(locale, 64) || typeof is_talking !== "boolean") return null;
      const kept = { tickets, has_ticket, is_talking };
      return { type: "init", page, locale, ...kept, is_open, is_full_screen };
    }
    case "locale":
      return isText(fields.locale, 64) ? { type: "locale", locale: fields.locale } : null;
    case "ticket":
      return isText(fields.ticket, 512) ? { type: "ticket", ticket: fields.ticket } : null;
    default:
      return null;
  }
}
