// What the shell says to the page beside the core's pushes: a notification of the system was clicked.

/** Hears which conversation is to be opened. Gives the way to stop hearing. */
export function onOpenAsked(act: (conversationId: string) => void): () => void {
  function heard(event: Event) {
    if (event instanceof CustomEvent && typeof event.detail === "string") act(event.detail);
  }
  window.addEventListener("yingke:open", heard);
  return () => window.removeEventListener("yingke:open", heard);
}
