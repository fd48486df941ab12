// The head of the window: who answers, how things stand, the menu.

import { useRef, useState } from "preact/hooks";
import { isClosed } from "./apply";
import { Avatar } from "./avatar";
import type { ChatState } from "./client";
import { useTools } from "./context";
import { listOf, type TextKey, type Translate } from "./i18n";
import { CloseIcon, MoreIcon } from "./icons";
import type { Locale } from "./locale";
import { placeOf } from "./place";
import type { WaitingReason } from "./protocol";
import { useSeconds } from "./use_seconds";
import { waitWords } from "./words";

export interface HeaderProps {
  state: ChatState;
  has_sound: boolean;
  onSound: (is_on: boolean) => void;
  onLocale: (locale: Locale) => void;
  /** Opens the form of the leave-message; absent where it is open or nothing can be left. */
  onLeave: (() => void) | null;
  /** Absent on the chat link's page. */
  onClose: (() => void) | null;
}

const WAITING = new Map<WaitingReason, TextKey>([
  ["routing", "line_routing"],
  ["all_full", "line_all_full"],
  ["nobody_online", "line_nobody_online"],
  ["closed", "line_closed"],
]);

/** One line that is always true, also for a state that a newer relay knows and this does not. */
function statusLine(state: ChatState, now: number, t: Translate): string {
  switch (state.link) {
    case "connecting":
      return t("line_connecting");
    case "reconnecting": {
      const seconds = Math.max(0, Math.floor((now - (state.down_since ?? now)) / 1000));
      return t("line_reconnecting", { seconds });
    }
    case "offline":
      return t("line_offline");
    case "refused":
      return t("line_refused");
    case "live":
      if (isClosed(state.held)) return t("line_refused");
  }
  const status = state.held?.conversation?.status;
  switch (status?.kind) {
    case "waiting": {
      const place = placeOf(state);
      if (place === null) return t(WAITING.get(status.reason) ?? "line_ready");
      const wait = waitWords(place.expected_wait_ms, t);
      return wait
        ? t("line_place_wait", { place: place.place, wait })
        : t("line_place", { place: place.place });
    }
    case "serving":
      return t("line_serving");
    case "ended":
      return t(status.by === "leave_message" ? "line_message_left" : "line_ended");
    default:
      return t("line_ready");
  }
}

export function Header(props: HeaderProps) {
  const { t, locale, later, is_in_doubt } = useTools();
  const { state } = props;
  const [is_menu_open, setMenuOpen] = useState(false);
  const now = useSeconds(state.link === "reconnecting");
  const menu_button = useRef<HTMLButtonElement>(null);
  const status = state.held?.conversation?.status;
  const agent = status?.kind === "serving" ? status.agent : null;
  const others = agent ? (state.held?.conversation?.members ?? []) : [];
  const names = listOf(
    [agent, ...others].flatMap((card) => card?.nickname ?? []),
    locale,
  );
  const site = state.held?.site.name ?? "";
  const is_serving = state.link === "live" && agent !== null;
  const closeMenu = () => {
    setMenuOpen(false);
    menu_button.current?.focus();
  };
  return (
    <header class="head">
      <Avatar name={agent?.nickname ?? null} is_online={is_serving && others.length === 0} />
      {others.slice(0, 2).map((other) => (
        <Avatar key={other.id} name={other.nickname} />
      ))}
      <div class="who">
        <h1>
          <span data-testid="agents">{names}</span>
          {names ? site && <small>{site}</small> : site || " "}
        </h1>
        <p
          data-testid="status"
          data-link={state.link}
          data-kind={status?.kind ?? "none"}
          role="status"
          // The card of the line tells the place.
          aria-live={placeOf(state) ? "off" : "polite"}
        >
          {state.link === "reconnecting" ? (
            <>
              <span class="heard">{t("line_connecting")}</span>
              {/* Counts each second, and is not read out each second. */}
              <span aria-hidden="true">{statusLine(state, now, t)}</span>
            </>
          ) : (
            statusLine(state, now, t)
          )}
        </p>
      </div>
      <button
        ref={menu_button}
        type="button"
        class="tool"
        data-testid="menu"
        aria-haspopup="menu"
        aria-expanded={is_menu_open}
        aria-label={t("menu")}
        title={t("menu")}
        onClick={() => setMenuOpen(!is_menu_open)}
      >
        <MoreIcon />
      </button>
      {props.onClose && (
        <button
          type="button"
          class="tool"
          data-testid="close"
          aria-label={t("close")}
          title={t("close")}
          onClick={props.onClose}
        >
          <CloseIcon />
        </button>
      )}
      {is_menu_open &&
        (later ? (
          <later.Menu {...props} onDone={closeMenu} />
        ) : (
          <div class="menu" role="status" data-testid="menu-waits">
            {is_in_doubt ? (
              <button type="button" onClick={() => location.reload()}>
                {t("try_again")}
              </button>
            ) : (
              t("loading")
            )}
          </div>
        ))}
    </header>
  );
}
