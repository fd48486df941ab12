// Takes a line out of a list.

import { Trash2 } from "lucide-react";
import { useT } from "../../i18n";
import { IconButton } from "../../ui/IconButton";

interface MoveAwayProps {
  name: string;
  testId: string;
  onRemove: () => void;
}

export function MoveAway({ name, testId, onRemove }: MoveAwayProps) {
  const t = useT();
  return (
    <IconButton label={t("manage.remove_named", { name })} data-testid={testId} onClick={onRemove}>
      <Trash2 size={15} aria-hidden="true" />
    </IconButton>
  );
}
