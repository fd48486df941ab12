// A short, soft sound for a message from the agent. Browsers allow sound only after the visitor
// touched the page; before that nothing happens.

/** Longer than the tone. */
const CLOSE_AFTER_MS = 1_000;

/** Plays it once. */
export function chime(): void {
  const Context = window.AudioContext;
  if (Context === undefined || navigator.userActivation?.hasBeenActive === false) return;
  const audio = new Context();
  const gain = audio.createGain();
  gain.connect(audio.destination);
  gain.gain.setValueAtTime(0.08, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.35);
  const tone = audio.createOscillator();
  tone.frequency.setValueAtTime(660, audio.currentTime);
  tone.frequency.setValueAtTime(880, audio.currentTime + 0.1);
  tone.connect(gain);
  // By the clock: where the browser lets nothing sound, the tone never ends.
  window.setTimeout(() => void audio.close(), CLOSE_AFTER_MS);
  tone.start();
  tone.stop(audio.currentTime + 0.36);
}
