// Up, down and away, for a line of an ordered list.

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

export function MoveButtons({ name, at, count, onMove, onRemove }: MoveButtonsProps) {
  const t = useT();
  return (
    <>
      <IconButton
        label={t("manage.move_up_named", { name })}
        disabled={at === 0}
        data-testid={`move-up-${at}`}
        onClick={() => onMove(at - 1)}
      >
        <ChevronUp size={16} aria-hidden="true" />
      </IconButton>
      <IconButton
        label={t("manage.move_down_named", { name })}
        disabled={at === count - 1}
        data-testid={`move-down-${at}`}
        onClick={() => onMove(at + 1)}
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
