// The visitor's menu: language, sound, leaving a message, ending the conversation.

import { useEffect, useRef, useState } from "preact/hooks";
import { isOpen } from "./apply";
import { useTools } from "./context";
import type { HeaderProps } from "./header";
import { BellIcon, EndIcon, GlobeIcon, MailIcon } from "./icons_later";

const ITEMS = '[role^="menuitem"]';

export function Menu(props: HeaderProps & { onDone: () => void }) {
  const { t, locale, client } = useTools();
  const { onDone } = props;
  const [is_sure, setSure] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const done = useRef(onDone);
  done.current = onDone;
  const can_end = isOpen(props.state.held?.conversation ?? null) && props.state.link === "live";

  useEffect(() => {
    box.current?.querySelector<HTMLElement>(ITEMS)?.focus();
    const onPress = (event: PointerEvent) => {
      const inside = event.target instanceof Element && event.target.closest(".menu, .tool");
      if (!inside) done.current();
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      onDone();
      return;
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const items = [...(box.current?.querySelectorAll<HTMLElement>(ITEMS) ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
  };

  const end = () => {
    if (!is_sure) {
      setSure(true);
      return;
    }
    client.end();
    onDone();
  };

  return (
    <div
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={t("menu")}
      ref={box}
      onKeyDown={onKeyDown}
    >
      <button
        type="button"
        role="menuitem"
        data-testid="menu-language"
        onClick={() => props.onLocale(locale === "en" ? "zh-CN" : "en")}
      >
        <GlobeIcon />
        <span>{t("menu_language")}</span>
        <b>{t("other_language")}</b>
      </button>
      <button
        type="button"
        role="menuitemcheckbox"
        data-testid="menu-sound"
        aria-checked={props.has_sound}
        onClick={() => props.onSound(!props.has_sound)}
      >
        <BellIcon />
        <span>{t("menu_sound")}</span>
        <i class="switch" />
      </button>
      {props.onLeave && (
        <button
          type="button"
          role="menuitem"
          data-testid="menu-leave"
          onClick={() => {
            onDone();
            props.onLeave?.();
          }}
        >
          <MailIcon />
          <span>{t("leave_title")}</span>
        </button>
      )}
      <button
        type="button"
        role="menuitem"
        class="danger"
        data-testid="menu-end"
        disabled={!can_end}
        onClick={end}
      >
        <EndIcon />
        <span>{is_sure ? t("menu_end_confirm") : t("menu_end")}</span>
      </button>
    </div>
  );
}
