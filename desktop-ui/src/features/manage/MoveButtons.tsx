// Up, down and away, for a line of an ordered list. The focus goes with the line, so that it can be
// moved on by the same key.

import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useT } from "../../i18n";
import { IconButton } from "../../ui/IconButton";

interface MoveButtonsProps {
  name: string;
  at: number;
  count: number;
  onMove: (to: number) => void;
  onRemove?: () => void;
}

type Way = "up" | "down";

/** Puts the focus on the button of the line's new place, once it is drawn there. */
function follow(list: Element | null, way: Way, to: number): void {
  requestAnimationFrame(() => {
    const button = (one: Way) => list?.querySelector<HTMLElement>(`[data-move="${one}-${to}"]`);
    const same = button(way);
    (same?.matches(":disabled") ? button(way === "up" ? "down" : "up") : same)?.focus();
  });
}

export function MoveButtons({ name, at, count, onMove, onRemove }: MoveButtonsProps) {
  const t = useT();
  function move(button: Element, way: Way) {
    const to = way === "up" ? at - 1 : at + 1;
    onMove(to);
    follow(button.closest("[data-lines]"), way, to);
  }
  return (
    <>
      <IconButton
        label={t("manage.move_up_named", { name })}
        disabled={at === 0}
        data-testid={`move-up-${at}`}
        data-move={`up-${at}`}
        onClick={({ currentTarget }) => move(currentTarget, "up")}
      >
        <ChevronUp size={16} aria-hidden="true" />
      </IconButton>
      <IconButton
        label={t("manage.move_down_named", { name })}
        disabled={at === count - 1}
        data-testid={`move-down-${at}`}
        data-move={`down-${at}`}
        onClick={({ currentTarget }) => move(currentTarget, "down")}
      >
        <ChevronDown size={16} aria-hidden="true" />
      </IconButton>
      {onRemove !== undefined && (
        <IconButton
          label={t("manage.remove_named", { name })}
          data-testid={`remove-${at}`}
          onClick={onRemove}
        >
          <X size={16} aria-hidden="true" />
        </IconButton>
      )}
    </>
  );
}
