// Invitations while another module is open: in the corner, so that nobody misses one on a board.

import { useInvitations } from "../../stores/invitations";
import styles from "./Bars.module.css";
import { InvitationCard } from "./InvitationCards";

export function InvitationPrompt() {
  const incoming = useInvitations((state) => state.incoming);
  return (
    <div className={styles.corner} aria-live="assertive">
      {incoming.map((one) => (
        <InvitationCard key={one.invitation.id} incoming={one} afar />
      ))}
    </div>
  );
}
